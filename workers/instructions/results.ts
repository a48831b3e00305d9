/**
 * What is stored of a result. Output over the inline limit becomes an artifact, and its beginning stays with the row;
 * a result that came too late is kept beside the row's own.
 */
import type { ReportedResult } from '../../schema/contracts/instructions.ts';
import { DELIVERY } from '../../schema/defaults.ts';
import { newId } from '../../schema/ids.ts';
import { artifacts } from '../../schema/tables/index.ts';
import { signArtifact } from '../crypto/signed-link.ts';
import { insertRows } from '../db/bulk.ts';
import type { Statement } from '../db/open.ts';
import type { Edge } from '../db/plan.ts';
import type { AddedColumns } from './store-statuses.ts';

export interface ArtifactDraft {
  artifact_id: string;
  instruction_id: string;
  content: string;
}

/** The columns of a result, and the artifact that its output needs; output up to `inlineChars` needs none. */
export function resultColumns(
  instructionId: string,
  result: ReportedResult,
  { inlineChars, now }: { inlineChars: number; now: number },
): { columns: AddedColumns; artifact: ArtifactDraft | null } {
  const { exit_code = null, error_code = null, duration_ms, truncated } = result;
  const output = result.output.toWellFormed();
  const artifact_id = output.length > inlineChars ? newId('artifact', now) : null;
  return {
    columns: {
      exit_code,
      error_code,
      duration_ms,
      truncated,
      artifact_id,
      output_summary: summaryOf(output, inlineChars),
    },
    artifact: artifact_id === null ? null : { artifact_id, instruction_id: instructionId, content: output },
  };
}

export function lateColumns({ output, ...rest }: ReportedResult, inlineChars: number, now: number): AddedColumns {
  return { late_result: { ...rest, output_summary: summaryOf(output, inlineChars), received_at: now } };
}

/** All of a short output, the beginning of a long one. */
function summaryOf(output: string, inlineChars: number): string {
  return output.length > inlineChars ? output.slice(0, DELIVERY.summary_chars).toWellFormed() : output;
}

export function insertArtifacts({ db, now }: Pick<Edge, 'db' | 'now'>, drafts: readonly ArtifactDraft[]): Statement[] {
  return insertRows(
    db,
    artifacts,
    drafts.map((draft) => ({ ...draft, kind: 'instruction_output' as const, created_at: now })),
  );
}

/** A signed link to an artifact at `origin`, where the API was reached. */
export async function artifactUrl(
  { env, now }: Pick<Edge, 'env' | 'now'>,
  artifactId: string | null,
  origin: string,
): Promise<string | null> {
  return artifactId === null ? null : new URL(await signArtifact(env, artifactId, now), origin).href;
}

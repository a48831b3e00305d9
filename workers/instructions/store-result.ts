/**
 * The result of an instruction: stored with its output, or beside it when the instruction has ended meanwhile. Output
 * over the inline limit becomes an artifact with a signed link, and its beginning stays as the summary.
 */
import { eq } from 'drizzle-orm';
import type {
  InstructionResultBody,
  InstructionResultResponse,
  InstructionState,
} from '../../schema/contracts/instructions.ts';
import { DELIVERY } from '../../schema/defaults.ts';
import { isExecutingStatus } from '../../schema/domain/instruction-machine.ts';
import type { TrackedInstruction } from '../../schema/domain/message-progress.ts';
import { newId } from '../../schema/ids.ts';
import { artifacts, instructions } from '../../schema/tables/index.ts';
import { sha256Hex } from '../crypto/hash.ts';
import { signArtifact } from '../crypto/signed-link.ts';
import type { Database, Statement } from '../db/open.ts';
import type { WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import type { ConversationRow } from '../renewal/conversations.ts';
import type { LoadedInstruction } from './finish.ts';
import { endInstruction } from './finish.ts';
import { claimExpiresInMs, guardStatuses, toClaimed } from './statuses.ts';

type Result = Omit<InstructionResultBody, 'controller_id'>;

export interface Reported {
  env: Env;
  db: Database;
  now: number;
  /** Where the API was reached, for the link to the artifact. */
  origin: string;
  loaded: LoadedInstruction;
  result: Result;
  /** Who reports it, when that is not the holder: another node whose browser did it. */
  by?: string;
  conversation?: ConversationRow;
}

/** The plan that stores a result from the instruction's holder. */
export async function storeResult(reported: Reported): Promise<WritePlan<InstructionResultResponse>> {
  const { env, db, now, loaded, result } = reported;
  if (!isExecutingStatus(loaded.row.status)) return lateResult(reported);
  const { instruction_id, controller_id: holder } = loaded.row;
  const output = await storeOutput(reported);
  const { plan, ending } = endInstruction(
    env,
    db,
    loaded,
    {
      to: result.status,
      controller_id: reported.by ?? holder,
      detail: {
        exit_code: result.exit_code ?? null,
        error_code: result.error_code ?? null,
        output_sha256: await sha256Hex(result.output),
      },
      ...(reported.conversation === undefined ? {} : { conversation: reported.conversation }),
    },
    now,
  );
  return {
    ...mergePlans(plan, { statements: output.statements }),
    subject_id: instruction_id,
    response: {
      ...statusView(instruction_id, result.status, ending.statuses, now),
      artifact_id: output.artifact_id,
      artifact_url: output.artifact_url,
    },
  };
}

/** It has ended without its holder, or never was to run: what the holder says is kept, and changes nothing. */
async function lateResult({
  env,
  db,
  now,
  origin,
  loaded,
  result,
  by,
}: Reported): Promise<WritePlan<InstructionResultResponse>> {
  const { instruction_id, controller_id, message_id, status, artifact_id } = loaded.row;
  const { output, ...rest } = result;
  const late_result = { ...rest, output_summary: summaryOf(output), received_at: now };
  return {
    guards: [guardStatuses(db, message_id, loaded.statuses)],
    statements: [
      db
        .update(instructions)
        .set({ late_result, updated_at: now })
        .where(eq(instructions.instruction_id, instruction_id)),
    ],
    events: [{ topic: 'instructions', type: 'late_result', subject_id: instruction_id }],
    journal: [
      {
        chain: controller_id,
        message_id,
        instruction_id,
        kind: 'late_result',
        controller_id: by ?? controller_id,
        detail: rest,
      },
    ],
    subject_id: instruction_id,
    response: {
      ...statusView(instruction_id, status, loaded.statuses, now),
      artifact_id,
      artifact_url: await artifactUrl(env, artifact_id, origin, now),
    },
  };
}

function statusView(id: string, status: InstructionState, all: readonly TrackedInstruction[], now: number) {
  const rest = all.filter((one) => one.instruction_id !== id).map((one) => toClaimed(one, now));
  const own = all.find((one) => one.instruction_id === id);
  return {
    instruction_id: id,
    status,
    claim_expires_in_ms: own === undefined ? null : claimExpiresInMs(own, now),
    rest,
  };
}

async function storeOutput({ env, db, now, origin, loaded, result }: Reported) {
  const { instruction_id } = loaded.row;
  const { output, exit_code = null, error_code = null, duration_ms, truncated } = result;
  const artifact_id = output.length > DELIVERY.inline_chars ? newId('artifact', now) : null;
  const statements: Statement[] = [
    db
      .update(instructions)
      .set({ exit_code, error_code, duration_ms, truncated, artifact_id, output_summary: summaryOf(output) })
      .where(eq(instructions.instruction_id, instruction_id)),
  ];
  if (artifact_id !== null) {
    statements.push(
      db
        .insert(artifacts)
        .values({ artifact_id, kind: 'instruction_output', instruction_id, content: output, created_at: now }),
    );
  }
  return { artifact_id, artifact_url: await artifactUrl(env, artifact_id, origin, now), statements };
}

export async function artifactUrl(
  env: Env,
  artifactId: string | null,
  origin: string,
  now: number,
): Promise<string | null> {
  return artifactId === null ? null : new URL(await signArtifact(env, artifactId, now), origin).href;
}

/** All of a short output, the beginning of a long one. */
function summaryOf(output: string): string {
  return output.length > DELIVERY.inline_chars ? output.slice(0, DELIVERY.summary_chars) : output;
}

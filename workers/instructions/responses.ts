/** Responses to a node that has reported progress: how its instructions are now, and links to what was stored. */
import type {
  ClaimedInstruction,
  IngestStatus,
  InstructionResultResponse,
} from '../../schema/contracts/instructions.ts';
import type { MessageProgressResponse } from '../../schema/contracts/progress.ts';
import { isOpenMessage, openMessageStatus } from '../../schema/domain/message-machine.ts';
import type { Edge } from '../db/plan.ts';
import { othersClaimed, toClaimed } from './claimed-view.ts';
import type { LoadedInstruction, LoadedMessage } from './load.ts';
import type { RecordedProgress } from './progress.ts';
import { artifactUrl } from './results.ts';

/** One instruction after the report. */
export function claimedOf({ progress }: RecordedProgress, id: string, now: number): ClaimedInstruction {
  const found = progress.statuses.find((one) => one.instruction_id === id);
  if (found === undefined) throw new Error(`${id} is not an instruction of the loaded message`);
  return toClaimed(found, now);
}

/** An instruction after its result, and the others of its message; `origin` is where the API was reached. */
export async function resultResponse(
  edge: Edge,
  { row: { instruction_id, artifact_id: stored } }: LoadedInstruction,
  recorded: RecordedProgress,
  origin: string,
): Promise<InstructionResultResponse> {
  const { status, claim_expires_in_ms } = claimedOf(recorded, instruction_id, edge.now);
  const artifact_id = recorded.columns.get(instruction_id)?.artifact_id ?? stored;
  const artifact_url = await artifactUrl(edge, artifact_id, origin);
  const rest = othersClaimed(recorded.progress.statuses, instruction_id, edge.now);
  return { instruction_id, status, claim_expires_in_ms, artifact_id, artifact_url, rest };
}

/** The message after a report, with all its instructions. */
export async function progressResponse(
  edge: Edge,
  { message: { message_id, ingest_status }, fence: { mode, mode_version }, rows }: LoadedMessage,
  recorded: RecordedProgress,
  origin: string,
): Promise<MessageProgressResponse> {
  const instructions = rows.map(async ({ instruction_id, ...row }) => {
    const added = recorded.columns.get(instruction_id);
    const artifact_id = added?.artifact_id ?? row.artifact_id;
    return {
      ...claimedOf(recorded, instruction_id, edge.now),
      artifact_id,
      artifact_url: await artifactUrl(edge, artifact_id, origin),
      output_chars: added?.output_chars ?? row.output_chars,
    };
  });
  return {
    message_id,
    ingest_status: statusAfter(recorded, ingest_status),
    mode,
    mode_version,
    instructions: await Promise.all(instructions),
  };
}

function statusAfter({ progress: { message, statuses } }: RecordedProgress, before: IngestStatus): IngestStatus {
  return message ?? (isOpenMessage(before) ? openMessageStatus(statuses) : before);
}

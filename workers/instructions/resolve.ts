/**
 * A person says what became of an instruction that was interrupted: it took effect, or it did not. The word moves the
 * status, is an entry of the journal, and reaches the node, whose reply says it when it has not been sent yet. When all
 * instructions of the message have succeeded by that, the message counts as `executed`.
 */
import { and, eq } from 'drizzle-orm';
import type { Instruction, InstructionResolveBody, Resolution } from '../../schema/contracts/instructions.ts';
import { InstructionSchema } from '../../schema/contracts/instructions.ts';
import { moveMessage } from '../../schema/domain/message-machine.ts';
import type { TrackedInstruction } from '../../schema/domain/message-progress.ts';
import { messageEnd } from '../../schema/domain/message-progress.ts';
import { decideResolution } from '../../schema/domain/resolution.ts';
import { AppError } from '../../schema/errors.ts';
import { messages } from '../../schema/tables/index.ts';
import type { Edge, Plan, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { marked } from '../db/readable.ts';
import { notifyOwner } from './finish.ts';
import { guardStatuses } from './guards.ts';
import type { LoadedInstruction } from './load.ts';
import { loadInstruction } from './load.ts';
import { storeStatuses } from './store-statuses.ts';

/** Throws `instruction_not_found`, `already_finished` and `conflict`. */
export async function resolveInstruction(
  edge: Edge,
  instructionId: string,
  { outcome, note, by }: InstructionResolveBody & { by: string },
): Promise<WritePlan<Instruction>> {
  const { db, now } = edge;
  const loaded = await loadInstruction(edge, instructionId);
  const { row, statuses } = loaded;
  const decision = decideResolution(row, outcome);
  if (decision.type === 'refuse') {
    const { status, resolution } = row;
    throw new AppError(decision.code, decision.why, { details: { status, resolution } });
  }
  if (decision.type === 'repeat') {
    return { audited: false, subject_id: instructionId, response: InstructionSchema.parse(marked(row)) };
  }
  const { status } = decision;
  const resolution: Resolution = { outcome, note, by, at: now };
  const after = statuses.map((one) => (one.instruction_id === instructionId ? { ...one, status } : one));
  const resolved: Plan = {
    guards: [guardStatuses(db, row.message_id, statuses)],
    statements: [
      ...storeStatuses(edge, statuses, after, new Map([[instructionId, { resolution }]])),
      ...moveEndedMessage(edge, loaded, after),
    ],
    events: [{ topic: 'instructions', type: 'resolved', subject_id: instructionId, data: { status, outcome } }],
    journal: [
      {
        chain: row.controller_id,
        message_id: row.message_id,
        instruction_id: instructionId,
        kind: 'resolved',
        controller_id: null,
        detail: { status, outcome, note, by },
      },
    ],
  };
  return {
    ...mergePlans(resolved, notifyOwner(edge, loaded)),
    subject_id: instructionId,
    response: InstructionSchema.parse(marked({ ...row, status, resolution, updated_at: now })),
  };
}

/** A message that had failed for want of this effect alone is executed. Its reply, its breaker and its time stay. */
function moveEndedMessage({ db }: Edge, { message }: LoadedInstruction, after: readonly TrackedInstruction[]) {
  const { message_id, ingest_status, origin } = message;
  if (origin === 'mcp' || ingest_status !== 'failed' || messageEnd(after) !== 'executed') return [];
  return [
    db
      .update(messages)
      .set({ ingest_status: moveMessage('failed', 'executed') })
      .where(and(eq(messages.message_id, message_id), eq(messages.ingest_status, 'failed'))),
  ];
}

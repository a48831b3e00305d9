/**
 * Cancels an instruction. One that its node has not started ends at once. For one that its node runs, the node gets a
 * command, and its result says how the instruction ended. One that another node's browser runs cannot be stopped, so it
 * ends at once, and a result that still comes is kept as late.
 */
import { eq } from 'drizzle-orm';
import type { Instruction } from '../../schema/contracts/instructions.ts';
import { COMMAND } from '../../schema/defaults.ts';
import { isOpenStatus } from '../../schema/domain/instruction-machine.ts';
import { AppError } from '../../schema/errors.ts';
import { newId } from '../../schema/ids.ts';
import { instructions } from '../../schema/tables/index.ts';
import type { Edge, Plan, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import type { CommandDraft } from '../nodes/commands.ts';
import { sendCommands } from '../nodes/push.ts';
import { finishAndNotify } from './finish.ts';
import { guardStatuses } from './guards.ts';
import { viewAfter } from './instruction-reads.ts';
import type { LoadedInstruction } from './load.ts';
import { loadInstruction } from './load.ts';

/** Who wants the end of an instruction, and why. */
export type CancelRequest = { by: string; reason?: string };

/** A person cancels an instruction. Throws `instruction_not_found`, and `already_finished` unless it is open. */
export async function cancelInstruction(
  edge: Edge,
  instructionId: string,
  { by, reason }: { by: string; reason: string | undefined },
): Promise<WritePlan<Instruction>> {
  const loaded = await loadInstruction(edge, instructionId);
  const { row } = loaded;
  if (!isOpenStatus(row.status)) throw new AppError('already_finished', `this instruction is ${row.status}`);
  const { plan, statuses } = planCancel(edge, loaded, reason === undefined ? { by } : { by, reason });
  return { ...plan, subject_id: instructionId, response: viewAfter(edge, row, statuses) };
}

/** The plan for an instruction that is open, and the statuses of its message after it. */
export function planCancel(edge: Edge, loaded: LoadedInstruction, request: CancelRequest) {
  const { row, statuses } = loaded;
  if (row.status === 'running' && row.command_id === null) {
    return { plan: commandEnd(edge, loaded, request), statuses };
  }
  const { plan, result } = finishAndNotify(edge, loaded, 'canceled', request);
  return { plan, statuses: result.statuses };
}

/** Sends the node the command to end what it runs. */
function commandEnd(edge: Edge, { row, statuses }: LoadedInstruction, detail: CancelRequest): Plan {
  const { db, now } = edge;
  const { instruction_id, controller_id } = row;
  const command: CommandDraft<'instruction.cancel'> = {
    command_id: newId('command', now),
    controller_id,
    kind: 'instruction.cancel',
    body: { instruction_id },
    // For as long as it may run: its node may be away for a while.
    expires_at: Math.max(now + COMMAND.expiry_ms, row.claim_expires_at ?? 0),
  };
  return mergePlans(sendCommands(edge, [command]), {
    guards: [guardStatuses(db, row.message_id, statuses)],
    statements: [
      db
        .update(instructions)
        .set({ cancel_requested_at: now, updated_at: now })
        .where(eq(instructions.instruction_id, instruction_id)),
    ],
    events: [{ topic: 'instructions', type: 'cancel_requested', subject_id: instruction_id, data: detail }],
    journal: [
      {
        chain: controller_id,
        message_id: row.message_id,
        instruction_id,
        kind: 'cancel_requested',
        controller_id: null,
        detail,
      },
    ],
  });
}

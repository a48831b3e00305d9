/** Builders of a message's instructions. */
import type { InstructionState } from '../../../schema/contracts/instructions.ts';
import type { TrackedInstruction } from '../../../schema/domain/message-progress.ts';

/** Instructions `ins_0`, `ins_1`, … in these states. */
export function messageOf(...states: (InstructionState | [InstructionState, 'control'])[]): TrackedInstruction[] {
  return states.map((given, index) => ({
    instruction_id: `ins_${index}`,
    index,
    status: Array.isArray(given) ? given[0] : given,
    gate: null,
    control: Array.isArray(given),
    timeout_ms: 60_000,
    claim_expires_at: null,
    approval_expires_at: null,
  }));
}

export function statusesOf(all: readonly { status: InstructionState }[]): InstructionState[] {
  return all.map((one) => one.status);
}

/** Instructions as the node that holds them follows them: by status, gate and the time its claim has left. */
import type { ClaimedInstruction } from '../../schema/contracts/instructions.ts';
import { isExecutingStatus } from '../../schema/domain/instruction-machine.ts';
import type { TrackedInstruction } from '../../schema/domain/message-progress.ts';

type Viewed = Pick<TrackedInstruction, 'instruction_id' | 'index' | 'status' | 'gate' | 'claim_expires_at'>;

export function toClaimed(one: Viewed, now: number): ClaimedInstruction {
  const { instruction_id, index, status, gate } = one;
  return { instruction_id, index, status, gate, claim_expires_in_ms: claimExpiresInMs(one, now) };
}

/** Milliseconds that the claim has left; null for an instruction that is neither claimed nor running. */
export function claimExpiresInMs(one: Pick<Viewed, 'status' | 'claim_expires_at'>, now: number): number | null {
  if (one.claim_expires_at === null || !isExecutingStatus(one.status)) return null;
  return Math.max(0, one.claim_expires_at - now);
}

/** The other instructions of the message. */
export function othersClaimed(all: readonly TrackedInstruction[], id: string, now: number): ClaimedInstruction[] {
  return all.filter((one) => one.instruction_id !== id).map((one) => toClaimed(one, now));
}

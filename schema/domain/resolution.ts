/**
 * What a person's word about an interrupted instruction changes. The first word counts: the same word again changes
 * nothing, and another one is refused, because replies, renewals and people may have acted on the first.
 */
import type { InstructionState, Resolution } from '../contracts/instructions.ts';
import { isOpenStatus, moveInstruction } from './instruction-machine.ts';

type Outcome = Resolution['outcome'];

const BECOMES = { done: 'succeeded', not_done: 'failed' } as const satisfies Record<Outcome, InstructionState>;

export type ResolutionDecision =
  | { type: 'resolve'; status: (typeof BECOMES)[Outcome] }
  /** It has been said before. */
  | { type: 'repeat' }
  | { type: 'refuse'; code: 'conflict' | 'already_finished'; why: string };

export function decideResolution(
  { status, resolution }: { status: InstructionState; resolution: Resolution | null },
  outcome: Outcome,
): ResolutionDecision {
  if (resolution !== null) {
    if (resolution.outcome === outcome) return { type: 'repeat' };
    const why = `${resolution.by} has resolved this instruction as ${resolution.outcome}, which stays`;
    return { type: 'refuse', code: 'conflict', why };
  }
  if (status === 'interrupted') {
    const next = BECOMES[outcome];
    moveInstruction(status, next);
    return { type: 'resolve', status: next };
  }
  const code = isOpenStatus(status) ? 'conflict' : 'already_finished';
  return { type: 'refuse', code, why: `this instruction is ${status}; only an interrupted one is resolved` };
}

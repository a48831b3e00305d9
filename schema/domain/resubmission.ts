/**
 * Decides what becomes of a stopped message that a person resubmits. The host judges its instructions again and the
 * gates are decided again: what may run is claimed as at ingest, what a gate stops keeps its status. Pure.
 */
import type { IngestStatus, InstructionInput, PolicyVerdict } from '../contracts/instructions.ts';
import type { AskFacts, GateFacts } from './admission.ts';
import { createAdmission, gateOf, judge, messageStatus } from './admission.ts';
import { isStoppedStatus, moveInstruction } from './instruction-machine.ts';
import type { TrackedInstruction } from './message-progress.ts';
import { withDeadlines } from './message-progress.ts';

export interface StoppedInstruction extends TrackedInstruction {
  input: Omit<InstructionInput, 'policy' | 'approval'>;
}

export interface Resubmission {
  /** All of them, in message order. */
  statuses: TrackedInstruction[];
  message: IngestStatus;
  /** The verdicts that count, of those that were judged again. */
  verdicts: ReadonlyMap<string, PolicyVerdict>;
}

/** `verdicts` are the host's, by instruction; an instruction without one keeps its status. `now` in Unix milliseconds. */
export function decideResubmission(
  all: readonly StoppedInstruction[],
  verdicts: ReadonlyMap<string, PolicyVerdict>,
  facts: GateFacts & AskFacts & { now: number },
): Resubmission {
  const admit = createAdmission(gateOf(facts), facts.waiting);
  const counting = new Map<string, PolicyVerdict>();
  const statuses = all.map(({ input, ...one }): TrackedInstruction => {
    const policy = verdicts.get(one.instruction_id);
    if (!isStoppedStatus(one.status) || policy === undefined) return one;
    const judged = judge({ ...input, policy }, facts);
    counting.set(one.instruction_id, judged.policy);
    const { status, gate } = admit(judged);
    if (status === 'held') return { ...one, gate };
    const asks = judged.verdict === 'ask';
    return { ...one, asks, status: moveInstruction(one.status, status), gate };
  });
  return { statuses: withDeadlines(statuses, facts.now), message: messageStatus(statuses), verdicts: counting };
}

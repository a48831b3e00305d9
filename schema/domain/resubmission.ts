/**
 * What becomes of a stopped message that a person wants to run after all. The host judges again, and the gates stand
 * again: what they let through is claimed as at ingest, what they hold stays as it was. Pure.
 */
import type { IngestStatus, InstructionInput, PolicyVerdict } from '../contracts/instructions.ts';
import type { GateFacts, Judged } from './ingest.ts';
import { gateOf, judged } from './ingest.ts';
import { isStoppedStatus, moveInstruction } from './instruction-machine.ts';
import type { TrackedInstruction } from './message-progress.ts';
import { messageEnd, withDeadlines } from './message-progress.ts';

export interface StoppedInstruction extends TrackedInstruction {
  input: Omit<InstructionInput, 'policy'>;
}

export interface Resubmission {
  /** All of them, in message order. */
  statuses: TrackedInstruction[];
  message: IngestStatus;
}

/** `verdicts` are the host's, by instruction; what it did not judge again stays as it is. `now` in Unix milliseconds. */
export function decideResubmission(
  all: readonly StoppedInstruction[],
  verdicts: ReadonlyMap<string, PolicyVerdict>,
  facts: GateFacts & { now: number },
): Resubmission {
  const gate = gateOf(facts);
  let behindApproval = false;
  const statuses = all.map((stopped): TrackedInstruction => {
    const { input, ...one } = stopped;
    const policy = verdicts.get(one.instruction_id);
    if (!isStoppedStatus(one.status) || policy === undefined) return one;
    const verdict = judged({ ...input, policy });
    const next = became(one, verdict, gate, behindApproval);
    behindApproval ||= next.status === 'awaiting_approval';
    return next;
  });
  return { statuses: withDeadlines(statuses, facts.now), message: statusOf(statuses) };
}

function became(
  one: TrackedInstruction,
  { verdict, control, gate: why }: Judged,
  gate: string | null,
  behind: boolean,
) {
  if (verdict === 'deny') return moved(one, 'denied', why);
  if (verdict === 'shadow') return moved(one, 'shadowed', null);
  if (gate !== null && !control) return { ...one, gate };
  if (verdict === 'ask') return moved(one, 'awaiting_approval', null);
  return moved(one, behind ? 'waiting' : 'claimed', null);
}

function moved(one: TrackedInstruction, status: TrackedInstruction['status'], gate: string | null): TrackedInstruction {
  return { ...one, status: moveInstruction(one.status, status), gate };
}

function statusOf(all: readonly TrackedInstruction[]): IngestStatus {
  const has = (status: TrackedInstruction['status']) => all.some((one) => one.status === status);
  if (has('awaiting_approval')) return 'awaiting_approval';
  if (has('claimed')) return 'accepted';
  if (all.every((one) => one.status === 'denied')) return 'denied_only';
  return GATES.find((gate) => all.some((one) => isStoppedStatus(one.status) && one.gate === gate)) ?? messageEnd(all);
}

const GATES = ['system_paused', 'automation_paused', 'automation_busy', 'capture_mismatch', 'expired'] as const;

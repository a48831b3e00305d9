/**
 * What a stopped message becomes when a person resubmits it. The host judges its instructions again, and the gates are
 * checked again: what passes is claimed as at ingest, what does not stays as it was.
 */
import type { IngestStatus, InstructionInput, PolicyVerdict } from '../contracts/instructions.ts';
import type { GateFacts, Judged } from './ingest.ts';
import { gateOf, judge } from './ingest.ts';
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

/** `verdicts` are the host's, by instruction. What it did not judge does not change. `now` in Unix milliseconds. */
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
    const verdict = judge({ ...input, policy });
    const next = resubmitOne(one, verdict, gate, behindApproval);
    behindApproval ||= next.status === 'awaiting_approval';
    return next;
  });
  return { statuses: withDeadlines(statuses, facts.now), message: statusOf(statuses) };
}

function resubmitOne(
  one: TrackedInstruction,
  { verdict, control, gate: why }: Judged,
  gate: string | null,
  behind: boolean,
) {
  if (verdict === 'deny') return moveOne(one, 'denied', why);
  if (verdict === 'shadow') return moveOne(one, 'shadowed', null);
  if (gate !== null && !control) return { ...one, gate };
  if (verdict === 'ask') return moveOne(one, 'awaiting_approval', null);
  return moveOne(one, behind ? 'waiting' : 'claimed', null);
}

function moveOne(
  one: TrackedInstruction,
  status: TrackedInstruction['status'],
  gate: string | null,
): TrackedInstruction {
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

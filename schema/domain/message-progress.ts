/**
 * How a message's instructions move together. One change has consequences for the rest of the message: what a pause
 * blocks, which waiting instruction is released, when the claims expire, and whether the message has ended.
 */

import type { IngestStatus, InstructionState } from '../contracts/instructions.ts';
import type { SystemMode } from '../contracts/system.ts';
import { INSTRUCTION } from '../defaults.ts';
import { countsAs, isExecutingStatus, isOpenStatus, moveInstruction } from './instruction-machine.ts';
import { replyDueAt } from './reply.ts';

/** One instruction of a message. `control` is what the tool table says of its tool. */
export interface TrackedInstruction {
  instruction_id: string;
  index: number;
  status: InstructionState;
  gate: string | null;
  control: boolean;
  /** A person is asked when its turn comes. */
  asks: boolean;
  timeout_ms: number;
  /** When its node claimed it; null while it is not claimed and not running. */
  claimed_at: number | null;
  claim_expires_at: number | null;
  approval_expires_at: number | null;
}

export interface TransitionContext {
  mode: SystemMode;
  /** Why a waiting instruction of this conversation may not be claimed now, such as `automation_busy`; null if it may. */
  waiting_gate: string | null;
  now: number;
}

export interface TransitionResult {
  /** All of them, in message order. */
  statuses: TrackedInstruction[];
  /** What the message becomes when none of its instructions is open any more; null while one is. */
  message: Extract<IngestStatus, 'executed' | 'failed'> | null;
  /** When the reply of the ended message is given up (Unix milliseconds); null while the message has not ended. */
  reply_due_at: number | null;
  /** How the ended message counts for the conversation's breaker; null when it does not count, or has not ended. */
  counts_as: 'executed' | 'failed' | null;
}

/**
 * Ends one instruction with the state `to`. A result may come for an instruction that is still `claimed`. Throws for a
 * move that the table forbids: callers check first.
 */
export function applyTransition(
  all: readonly TrackedInstruction[],
  id: string,
  to: InstructionState,
  context: TransitionContext,
): TransitionResult {
  return applyMode(withStatus(all, id, to), context);
}

/**
 * What the mode and the gates make of a message: while the system is paused, the claimed ordinary instructions are
 * blocked; the next waiting one is released, or a person is asked; the message ends when none is open any more.
 */
export function applyMode(all: readonly TrackedInstruction[], context: TransitionContext): TransitionResult {
  const rest = context.mode === 'paused' ? all.map(blockClaimed) : all;
  const released = releaseWaiting(rest, context);
  const isOpen = released.some((one) => isOpenStatus(one.status));
  const message = isOpen ? null : messageEnd(released);
  return {
    statuses: withDeadlines(released, context.now),
    message,
    reply_due_at: message === null ? null : replyDueAt(message, context.now),
    counts_as: isOpen ? null : breakerCount(released),
  };
}

/** The node starts this instruction. Its claim is counted again from `now`. */
export function startInstruction(all: readonly TrackedInstruction[], id: string, now: number): TrackedInstruction[] {
  const started = withStatus(all, id, 'running');
  const recount = started.map((one) => (one.instruction_id === id ? { ...one, claim_expires_at: null } : one));
  return withDeadlines(recount, now);
}

/** A person is shown now what this instruction asks: the time for the approval is counted from `now`. */
export function showApproval(all: readonly TrackedInstruction[], id: string, now: number): TrackedInstruction[] {
  const shown = all.map((one) => (one.instruction_id === id ? { ...one, approval_expires_at: null } : one));
  return withDeadlines(shown, now);
}

/** A person approves this instruction: its node claims it. */
export function claimApproved(all: readonly TrackedInstruction[], id: string, now: number): TrackedInstruction[] {
  return withDeadlines(withStatus(all, id, 'claimed'), now);
}

/** Whether an earlier instruction waits for a person: a later one cannot be claimed before it. */
export function isBehindApproval(all: readonly TrackedInstruction[], index: number): boolean {
  return all.some((one) => one.index < index && (one.status === 'awaiting_approval' || one.status === 'waiting'));
}

function withStatus(all: readonly TrackedInstruction[], id: string, to: InstructionState): TrackedInstruction[] {
  return all.map((one) => (one.instruction_id === id ? { ...one, status: moveInstruction(one.status, to) } : one));
}

/** Whether a pause blocks it: a node has claimed it and not started it. */
export function isBlockedByPause({ status, control }: TrackedInstruction): boolean {
  return status === 'claimed' && !control;
}

function blockClaimed(one: TrackedInstruction): TrackedInstruction {
  if (!isBlockedByPause(one)) return one;
  return { ...one, status: moveInstruction(one.status, 'blocked'), gate: 'system_paused' };
}

/**
 * In message order: when every earlier one has ended, a waiting instruction is blocked by a gate, or waits for a person if
 * it asks, or is claimed.
 */
function releaseWaiting(
  all: readonly TrackedInstruction[],
  { mode, waiting_gate }: TransitionContext,
): TrackedInstruction[] {
  let free = true;
  return all.map((one) => {
    if (one.status !== 'waiting' || !free) {
      free &&= !isOpenStatus(one.status);
      return one;
    }
    const gate = one.control ? null : mode === 'paused' ? 'system_paused' : waiting_gate;
    if (gate !== null) return { ...one, status: moveInstruction(one.status, 'blocked'), gate };
    free = false;
    return { ...one, status: moveInstruction(one.status, one.asks ? 'awaiting_approval' : 'claimed') };
  });
}

type Deadlines = Pick<
  TrackedInstruction,
  'status' | 'timeout_ms' | 'claimed_at' | 'claim_expires_at' | 'approval_expires_at'
>;

/**
 * Gives every claim the time for itself and for what executes before it: `now` + those timeouts + a minute, but never
 * more than an hour from when it was claimed, also when its node reports: a message cannot keep its conversation busy for
 * longer. A claim that leaves at least half of that minute stays as it is, so that a report does not move the claims of
 * the whole message. A new approval gets its own time; one that has a deadline keeps it. All times are Unix milliseconds.
 */
export function withDeadlines<T extends Deadlines>(all: readonly T[], now: number): T[] {
  let due = now + INSTRUCTION.claim_slack_ms;
  return all.map((one) => {
    const isExecuting = isExecutingStatus(one.status);
    if (isExecuting) due += one.timeout_ms;
    const claimed_at = isExecuting ? (one.claimed_at ?? now) : null;
    return {
      ...one,
      claimed_at,
      claim_expires_at:
        claimed_at === null
          ? null
          : claimUntil(one.claim_expires_at, Math.min(due, claimed_at + INSTRUCTION.claim_total_ms)),
      approval_expires_at:
        one.status === 'awaiting_approval' ? (one.approval_expires_at ?? now + INSTRUCTION.approval_expiry_ms) : null,
    };
  });
}

function claimUntil(current: number | null, due: number): number {
  return current !== null && current >= due - INSTRUCTION.claim_slack_ms / 2 ? current : due;
}

/** What a message becomes when none of its instructions is open any more. */
export function messageEnd(all: readonly Pick<TrackedInstruction, 'status'>[]): 'executed' | 'failed' {
  return all.every((one) => countsAs(one.status) === 'success') ? 'executed' : 'failed';
}

/** Only what ran and failed counts as a failure: what a person or a gate stopped says nothing about the conversation. */
function breakerCount(all: readonly TrackedInstruction[]): 'executed' | 'failed' | null {
  if (messageEnd(all) === 'executed') return 'executed';
  return all.some((one) => countsAs(one.status) === 'fault') ? 'failed' : null;
}

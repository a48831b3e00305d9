/**
 * How a message's instructions move together. One change has consequences for the rest of the message: what a pause
 * blocks, which waiting instruction is released, when the claims expire, and whether the message has ended.
 */
import type { IngestStatus, InstructionState } from '../contracts/instructions.ts';
import type { SystemMode } from '../contracts/system.ts';
import { INSTRUCTION } from '../defaults.ts';
import { countsAs, isExecutingStatus, isOpenStatus, moveInstruction } from './instruction-machine.ts';

/** One instruction of a message. `control` is what the tool table says of its tool. */
export interface TrackedInstruction {
  instruction_id: string;
  index: number;
  status: InstructionState;
  gate: string | null;
  control: boolean;
  timeout_ms: number;
  claim_expires_at: number | null;
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
  const moved = withStatus(all, id, to);
  const rest = context.mode === 'paused' ? moved.map((one) => blockClaimed(one, id)) : moved;
  const released = releaseWaiting(rest, context);
  const open = released.some((one) => isOpenStatus(one.status));
  return {
    statuses: withDeadlines(released, id, open, context.now),
    message: open ? null : messageEnd(released),
    counts_as: open ? null : breakerCount(released),
  };
}

/** The node starts this instruction. The deadline of every claim is counted again from `now`. */
export function startInstruction(all: readonly TrackedInstruction[], id: string, now: number): TrackedInstruction[] {
  return withDeadlines(withStatus(all, id, 'running'), id, true, now);
}

/** A person approves this instruction: its node claims it. The deadline of every claim is counted again from `now`. */
export function claimApproved(all: readonly TrackedInstruction[], id: string, now: number): TrackedInstruction[] {
  return withDeadlines(withStatus(all, id, 'claimed'), id, true, now);
}

/** Whether an earlier instruction waits for a person: a later one cannot be claimed before it. */
export function isBehindApproval(all: readonly TrackedInstruction[], index: number): boolean {
  return all.some((one) => one.index < index && (one.status === 'awaiting_approval' || one.status === 'waiting'));
}

function withStatus(all: readonly TrackedInstruction[], id: string, to: InstructionState): TrackedInstruction[] {
  return all.map((one) => (one.instruction_id === id ? { ...one, status: moveInstruction(one.status, to) } : one));
}

function blockClaimed(one: TrackedInstruction, id: string): TrackedInstruction {
  if (one.status !== 'claimed' || one.control || one.instruction_id === id) return one;
  return { ...one, status: moveInstruction(one.status, 'blocked'), gate: 'system_paused' };
}

/** In message order: a waiting instruction is claimed when every earlier one has ended, or blocked by a gate. */
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
    return { ...one, status: moveInstruction(one.status, 'claimed') };
  });
}

/**
 * Claims live for what is left to do. When the message has ended, the one that ended it carries the time at which its
 * reply is given up.
 */
function withDeadlines(
  all: readonly TrackedInstruction[],
  id: string,
  open: boolean,
  now: number,
): TrackedInstruction[] {
  const claimedUntil = claimDeadline(all, now);
  return all.map((one) => {
    if (isExecutingStatus(one.status)) return { ...one, claim_expires_at: claimedUntil };
    if (isOpenStatus(one.status)) return one;
    const replyUntil = !open && one.instruction_id === id ? now + INSTRUCTION.reply_give_up_ms : null;
    return { ...one, claim_expires_at: replyUntil };
  });
}

/** `now` + the timeouts of everything claimed or running + a minute (Unix milliseconds). */
export function claimDeadline(all: readonly { status: InstructionState; timeout_ms: number }[], now: number): number {
  const left = all.filter((one) => isExecutingStatus(one.status)).reduce((sum, one) => sum + one.timeout_ms, 0);
  return now + left + INSTRUCTION.claim_slack_ms;
}

/** What a message becomes when none of its instructions is open any more. */
export function messageEnd(all: readonly TrackedInstruction[]): 'executed' | 'failed' {
  return all.every((one) => countsAs(one.status) === 'success') ? 'executed' : 'failed';
}

/** Only what ran and failed counts as a failure: what a person or a gate stopped says nothing about the conversation. */
function breakerCount(all: readonly TrackedInstruction[]): 'executed' | 'failed' | null {
  if (messageEnd(all) === 'executed') return 'executed';
  return all.some((one) => countsAs(one.status) === 'fault') ? 'failed' : null;
}

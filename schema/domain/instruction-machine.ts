/**
 * The life of an instruction: one table of transitions (drawn in docs/state-machines.md), one function that makes
 * them. `settle` applies a change to one instruction and works out what it means for the rest of its message: what a
 * pause blocks, what was waiting and is now released, when the claims run out, and whether the message has ended.
 */
import type { IngestStatus, InstructionState } from '../contracts/instructions.ts';
import type { SystemMode } from '../contracts/system.ts';
import { INSTRUCTION } from '../defaults.ts';

const RESUBMITTED = ['claimed', 'awaiting_approval', 'waiting', 'denied', 'shadowed'] as const;

export const INSTRUCTION_TRANSITIONS = {
  claimed: ['running', 'blocked', 'canceled', 'interrupted'],
  waiting: ['claimed', 'blocked', 'expired', 'canceled'],
  awaiting_approval: ['claimed', 'denied', 'expired', 'canceled'],
  running: ['succeeded', 'failed', 'denied', 'canceled', 'interrupted'],
  blocked: RESUBMITTED,
  expired: RESUBMITTED,
  denied: [],
  shadowed: [],
  succeeded: [],
  failed: [],
  canceled: [],
  interrupted: [],
} as const satisfies Record<InstructionState, readonly InstructionState[]>;

/** States that still want something to happen; each has a deadline behind it. */
export const OPEN_STATES = ['claimed', 'waiting', 'awaiting_approval', 'running'] as const;
const EXECUTING = ['claimed', 'running'] as const;

export function isOpen(status: InstructionState): boolean {
  return (OPEN_STATES as readonly InstructionState[]).includes(status);
}

export function isExecuting(status: InstructionState): boolean {
  return (EXECUTING as readonly InstructionState[]).includes(status);
}

export function mayBecome(from: InstructionState, to: InstructionState): boolean {
  return (INSTRUCTION_TRANSITIONS[from] as readonly InstructionState[]).includes(to);
}

/** How one instruction of a message stands. `control` is what the tool table says of its tool. */
export interface TrackedInstruction {
  instruction_id: string;
  index: number;
  status: InstructionState;
  gate: string | null;
  control: boolean;
  timeout_ms: number;
  claim_expires_at: number | null;
}

export interface Surroundings {
  mode: SystemMode;
  /** Why nothing that waits may begin in this conversation now, such as `automation_busy`; null when it may. */
  waiting_gate: string | null;
  now: number;
}

export interface TransitionResult {
  /** All of them, in message order. */
  statuses: TrackedInstruction[];
  /** What the message becomes, once nothing of it is open any more. */
  message: Extract<IngestStatus, 'executed' | 'failed'> | null;
}

/**
 * Makes `to` of one instruction. A result may come for one that is `claimed` still: it has run in between. Throws for
 * a move that the table forbids: callers look first.
 */
export function applyTransition(
  all: readonly TrackedInstruction[],
  id: string,
  to: InstructionState,
  around: Surroundings,
): TransitionResult {
  const moved = all.map((one) => (one.instruction_id === id ? { ...one, status: move(one.status, to) } : one));
  const rest = around.mode === 'paused' ? moved.map((one) => blockClaimed(one, id)) : moved;
  const released = release(rest, around);
  const open = released.some((one) => isOpen(one.status));
  return {
    statuses: withDeadlines(released, id, open, around.now),
    message: open ? null : messageEnd(released),
  };
}

/** The holder begins this one: it runs, and the claims' clock starts anew. */
export function begin(all: readonly TrackedInstruction[], id: string, now: number): TrackedInstruction[] {
  return advance(all, id, 'running', now);
}

/** A person lets this one run: its holder has it from now on, and the claims' clock starts anew. */
export function approve(all: readonly TrackedInstruction[], id: string, now: number): TrackedInstruction[] {
  return advance(all, id, 'claimed', now);
}

function advance(
  all: readonly TrackedInstruction[],
  id: string,
  to: InstructionState,
  now: number,
): TrackedInstruction[] {
  const moved = all.map((one) => (one.instruction_id === id ? { ...one, status: move(one.status, to) } : one));
  return withDeadlines(moved, id, true, now);
}

/** Whether something before that one still waits for a person: what comes later is claimed no sooner. */
export function isBehindApproval(all: readonly TrackedInstruction[], index: number): boolean {
  return all.some((one) => one.index < index && (one.status === 'awaiting_approval' || one.status === 'waiting'));
}

function move(from: InstructionState, to: InstructionState): InstructionState {
  if (mayBecome(from, to)) return to;
  if (from === 'claimed' && mayBecome('running', to)) return to;
  throw new Error(`an instruction that is ${from} does not become ${to}`);
}

function blockClaimed(one: TrackedInstruction, id: string): TrackedInstruction {
  if (one.status !== 'claimed' || one.control || one.instruction_id === id) return one;
  return { ...one, status: move(one.status, 'blocked'), gate: 'system_paused' };
}

/** One by one in message order: the first that waits is released when everything before it has ended. */
function release(all: readonly TrackedInstruction[], { mode, waiting_gate }: Surroundings): TrackedInstruction[] {
  let free = true;
  return all.map((one) => {
    if (one.status !== 'waiting' || !free) {
      free &&= !isOpen(one.status);
      return one;
    }
    const gate = one.control ? null : mode === 'paused' ? 'system_paused' : waiting_gate;
    if (gate !== null) return { ...one, status: move(one.status, 'blocked'), gate };
    free = false;
    return { ...one, status: move(one.status, 'claimed') };
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
    if (isExecuting(one.status)) return { ...one, claim_expires_at: claimedUntil };
    if (isOpen(one.status)) return one;
    const replyUntil = !open && one.instruction_id === id ? now + INSTRUCTION.reply_give_up_ms : null;
    return { ...one, claim_expires_at: replyUntil };
  });
}

/** now + the timeouts of everything claimed or running + a minute (Unix milliseconds). */
export function claimDeadline(all: readonly { status: InstructionState; timeout_ms: number }[], now: number): number {
  const left = all.filter((one) => isExecuting(one.status)).reduce((sum, one) => sum + one.timeout_ms, 0);
  return now + left + INSTRUCTION.claim_slack_ms;
}

/** What a message has become when nothing of it is open any more. */
export function messageEnd(all: readonly TrackedInstruction[]): 'executed' | 'failed' {
  return all.every((one) => one.status === 'succeeded' || one.status === 'shadowed') ? 'executed' : 'failed';
}

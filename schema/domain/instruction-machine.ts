/**
 * The states of an instruction: which may follow which (drawn in docs/state-machines.md), and what each means. Every
 * set of states derives from the second table, so a new state compiles only when both tables have it.
 */
import type { InstructionState } from '../contracts/instructions.ts';
import { INSTRUCTION_STATES } from '../contracts/instructions.ts';
import { stateMachine } from './state-machine.ts';

const RESUBMITTED = ['claimed', 'awaiting_approval', 'waiting', 'denied', 'shadowed'] as const;

export const INSTRUCTION_TRANSITIONS = {
  claimed: ['running', 'blocked', 'canceled', 'interrupted'],
  waiting: ['claimed', 'awaiting_approval', 'blocked', 'expired', 'canceled'],
  awaiting_approval: ['claimed', 'denied', 'expired', 'canceled'],
  running: ['succeeded', 'failed', 'denied', 'canceled', 'interrupted'],
  blocked: RESUBMITTED,
  expired: RESUBMITTED,
  denied: [],
  shadowed: [],
  succeeded: [],
  failed: [],
  canceled: [],
  interrupted: ['succeeded', 'failed'],
} as const satisfies Record<InstructionState, readonly InstructionState[]>;

interface StateMeaning {
  /**
   * `executing`: its node has it. `waiting`: for a person, or for an earlier instruction of its message. `stopped`:
   * over, unless a person resubmits it. `final`: over.
   */
  phase: 'executing' | 'waiting' | 'stopped' | 'final';
  /** How a message that ends with it counts: only successes make it `executed`, a fault trips the breaker. */
  counts_as: 'success' | 'fault' | 'neither';
}

const MEANING: Record<InstructionState, StateMeaning> = {
  claimed: { phase: 'executing', counts_as: 'neither' },
  running: { phase: 'executing', counts_as: 'neither' },
  waiting: { phase: 'waiting', counts_as: 'neither' },
  awaiting_approval: { phase: 'waiting', counts_as: 'neither' },
  blocked: { phase: 'stopped', counts_as: 'neither' },
  expired: { phase: 'stopped', counts_as: 'neither' },
  denied: { phase: 'final', counts_as: 'neither' },
  shadowed: { phase: 'final', counts_as: 'success' },
  succeeded: { phase: 'final', counts_as: 'success' },
  failed: { phase: 'final', counts_as: 'fault' },
  canceled: { phase: 'final', counts_as: 'neither' },
  interrupted: { phase: 'final', counts_as: 'fault' },
};

function statesIn(...phases: StateMeaning['phase'][]): readonly InstructionState[] {
  return INSTRUCTION_STATES.filter((status) => phases.includes(MEANING[status].phase));
}

/** Its node has it: claimed, or running. */
export const EXECUTING_STATES = statesIn('executing');
/** For a person, or behind an earlier instruction. */
export const WAITING_STATES = statesIn('waiting');
/** Something still has to happen; each has a deadline. */
export const OPEN_STATES = statesIn('executing', 'waiting');

export function isOpenStatus(status: InstructionState): boolean {
  return OPEN_STATES.includes(status);
}

export function isExecutingStatus(status: InstructionState): boolean {
  return EXECUTING_STATES.includes(status);
}

/** Whether a person may have it judged again. */
export function isStoppedStatus(status: InstructionState): boolean {
  return MEANING[status].phase === 'stopped';
}

/** Whether it can never run again. Only a person moves it on, who says what became of an interrupted one. */
export function isFinalStatus(status: InstructionState): boolean {
  return MEANING[status].phase === 'final';
}

export function countsAs(status: InstructionState): StateMeaning['counts_as'] {
  return MEANING[status].counts_as;
}

const machine = stateMachine<InstructionState>('instruction', INSTRUCTION_TRANSITIONS);
export const mayBecome = machine.mayMove;

/** Throws for a move that the table forbids. A result may come for a `claimed` one: its start was not reported. */
export function moveInstruction(from: InstructionState, to: InstructionState): InstructionState {
  return machine.move(from === 'claimed' && mayBecome('running', to) ? 'running' : from, to);
}

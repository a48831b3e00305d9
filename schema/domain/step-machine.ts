/** The status of a step: which may follow which (drawn in docs/state-machines.md), and what each means. */
import type { StepStatus } from '../contracts/tasks.ts';
import { STEP_STATUSES } from '../contracts/tasks.ts';
import { stateMachine } from './state-machine.ts';

export const STEP_TRANSITIONS = {
  pending: ['running', 'canceled'],
  /** `pending`: its run ended without success, and it is tried again. */
  running: ['pending', 'done', 'failed', 'timeout', 'blocked', 'canceled'],
  blocked: ['done', 'failed', 'canceled'],
  failed: ['pending'],
  timeout: ['pending'],
  canceled: ['pending'],
  done: [],
} as const satisfies Record<StepStatus, readonly StepStatus[]>;

const machine = stateMachine<StepStatus>('step', STEP_TRANSITIONS);
export const mayStepBecome = machine.mayMove;
/** Throws for a move that the table forbids. */
export const moveStep = machine.move;

/** Statuses that a person's retry of the task makes `pending`. */
export const RETRIED_STEP_STATUSES = STEP_STATUSES.filter(
  (status) => status !== 'running' && mayStepBecome(status, 'pending'),
);

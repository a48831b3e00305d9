/** The status of a task: which may follow which (drawn in docs/state-machines.md), and what each means. */
import type { TaskStatus } from '../contracts/tasks.ts';
import { TASK_STATUSES } from '../contracts/tasks.ts';
import { stateMachine } from './state-machine.ts';

export const TASK_TRANSITIONS = {
  /** `blocked`: a task that it waits for has failed or was canceled. */
  queued: ['running', 'canceled', 'blocked'],
  running: ['done', 'failed', 'canceled', 'blocked'],
  /** `queued`: the task that it waits for is tried again. */
  blocked: ['running', 'failed', 'canceled', 'queued'],
  failed: ['queued'],
  canceled: ['queued'],
  done: [],
} as const satisfies Record<TaskStatus, readonly TaskStatus[]>;

const ENDED: readonly TaskStatus[] = ['done', 'failed', 'canceled'];

/** Something still has to happen to it, or a person has to decide. */
export const OPEN_TASK_STATUSES = TASK_STATUSES.filter((status) => !ENDED.includes(status));

export function isEndedTask(status: TaskStatus): boolean {
  return ENDED.includes(status);
}

const machine = stateMachine<TaskStatus>('task', TASK_TRANSITIONS);
export const mayTaskBecome = machine.mayMove;
/** Throws for a move that the table forbids. */
export const moveTask = machine.move;

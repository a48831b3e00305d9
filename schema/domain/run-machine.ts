/** The status of a run: which may follow which (drawn in docs/state-machines.md), and what each means. */
import type { RunStatus } from '../contracts/runs.ts';
import { RUN_STATUSES } from '../contracts/runs.ts';
import { stateMachine } from './state-machine.ts';

export const RUN_TRANSITIONS = {
  /** Claimed; its child has not started. */
  prepared: ['running', 'failed', 'canceled', 'lost'],
  running: ['succeeded', 'failed', 'timeout', 'blocked', 'canceled', 'lost'],
  succeeded: [],
  failed: [],
  timeout: [],
  blocked: [],
  canceled: [],
  lost: [],
} as const satisfies Record<RunStatus, readonly RunStatus[]>;

const machine = stateMachine<RunStatus>('run', RUN_TRANSITIONS);

/** Its node has it. Each has a deadline. */
export const LIVE_RUN_STATUSES = RUN_STATUSES.filter((status) => RUN_TRANSITIONS[status].length > 0);

export function isLiveRun(status: RunStatus): boolean {
  return LIVE_RUN_STATUSES.includes(status);
}

/** Throws for a move that the table forbids. An end may come for a `prepared` one: its start was not reported. */
export function moveRun(from: RunStatus, to: RunStatus): RunStatus {
  const passesStart = from === 'prepared' && to !== 'running' && !machine.mayMove('prepared', to);
  return machine.move(passesStart ? machine.move(from, 'running') : from, to);
}

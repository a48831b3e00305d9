/** When a runner ends its child, and how hard: pure. */
import { RUNNER } from '../../schema/defaults.ts';
import type { Clocks, RunLimits, StopRequest } from './limits.ts';
import { elapsedMs } from './limits.ts';

export type EndReason = 'timeout' | 'deadline' | StopRequest;

export interface Stopping {
  reason: EndReason;
  since: Clocks;
}

export interface ChildView {
  startedAt: Clocks;
  timeoutMs: number;
  stopping: Stopping | null;
}

export interface StopDecision {
  stopping: Stopping | null;
  signal: 'SIGTERM' | 'SIGKILL' | null;
}

function reasonToStop({ startedAt, timeoutMs }: ChildView, { deadline, stop }: RunLimits, now: Clocks) {
  if (stop !== null) return stop;
  if (remainingMs(deadline, now) <= RUNNER.deadline_margin_ms) return 'deadline';
  return elapsedMs(startedAt, now) >= timeoutMs ? 'timeout' : null;
}

/** What is left until the deadline, by the clock that says less. */
export function remainingMs(deadline: Clocks, now: Clocks): number {
  return Math.min(deadline.wall - now.wall, deadline.monotonic - now.monotonic);
}

/** SIGTERM first; SIGKILL after the grace, or when the deadline is too near for that. */
export function decideStop(child: ChildView, limits: RunLimits, now: Clocks): StopDecision {
  const { stopping } = child;
  if (stopping === null) {
    const reason = reasonToStop(child, limits, now);
    if (reason === null) return { stopping: null, signal: null };
    return { stopping: { reason, since: now }, signal: 'SIGTERM' };
  }
  const isOver = elapsedMs(stopping.since, now) >= RUNNER.kill_grace_ms;
  const isLate = remainingMs(limits.deadline, now) <= RUNNER.kill_margin_ms;
  return { stopping, signal: isOver || isLate ? 'SIGKILL' : null };
}

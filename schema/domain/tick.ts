/**
 * When a tick may run, and when the next one is due. The lock has a deadline, so a tick that died delays the next one by
 * no more than that. A cron tick is identified by its scheduled time and granted once. Between two ticks a due time only
 * moves earlier; a time that is reported while a tick runs is kept in its lock, so the tick cannot overwrite it.
 */
import type { SystemMode } from '../contracts/system.ts';
import type { TickDecision, TickGrant, TickTrigger } from '../contracts/ticks.ts';
import type { Backoff } from './retry.ts';
import { retryDelayMs } from './retry.ts';

export const TICK_TIMING = {
  /** How many of cron's scheduled times are kept. Cron repeats one within minutes, never after hours. */
  remembered_crons: 16,
  /** The shortest time before the next alarm: a tick that always finds something due must not spin. */
  min_gap_ms: 250,
  /** The next alarm after a tick that found the lock taken. */
  busy_retry_ms: 1_000,
} as const;

/** The next alarm after ticks that failed, in a row. */
const FAILED_TICK: Backoff = { base_ms: 2_000, max_ms: 60_000, jitter: 0 };

export interface TickLock {
  batch_id: string;
  /** Unix milliseconds: from then on another tick may take the lock. */
  deadline_at: number;
  /** The earliest time that was reported as due while this tick was running. */
  due_meanwhile: number | null;
}

export interface TimedJobsState {
  lock: TickLock | null;
  next_due_at: number | null;
  /** Scheduled times of the last granted cron ticks, oldest first. */
  crons_seen: readonly number[];
  /** Alarm ticks that failed, in a row. */
  failures: number;
}

export const NEW_TIMED_JOBS: TimedJobsState = { lock: null, next_due_at: null, crons_seen: [], failures: 0 };

export interface TickRequest {
  trigger: TickTrigger;
  /** Unix milliseconds, of a cron tick only. */
  scheduled_time: number | null;
  batch_id: string;
  lock_ms: number;
}

function isLocked(state: TimedJobsState, now: number): boolean {
  return state.lock !== null && now < state.lock.deadline_at;
}

function earliest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

/** A time that is older than all that are kept counts as seen: it may have been granted and dropped since. */
function isCronSeen(seen: readonly number[], scheduledTime: number): boolean {
  if (seen.includes(scheduledTime)) return true;
  return seen.length >= TICK_TIMING.remembered_crons && scheduledTime < Math.min(...seen);
}

/** Takes the lock, unless it is held or this cron time was granted before. */
export function beginTick(
  state: TimedJobsState,
  request: TickRequest,
  now: number,
): { next: TimedJobsState; grant: TickGrant } {
  const scheduled = request.trigger === 'cron' ? request.scheduled_time : null;
  if (scheduled !== null && isCronSeen(state.crons_seen, scheduled))
    return { next: state, grant: { status: 'duplicate' } };
  if (isLocked(state, now)) return { next: state, grant: { status: 'busy' } };
  const lock: TickLock = {
    batch_id: request.batch_id,
    deadline_at: now + request.lock_ms,
    // A tick that died never computed what comes next: what was reported to it is kept.
    due_meanwhile: state.lock?.due_meanwhile ?? null,
  };
  const crons_seen =
    scheduled === null ? state.crons_seen : [...state.crons_seen, scheduled].slice(-TICK_TIMING.remembered_crons);
  return {
    next: { ...state, lock, crons_seen },
    grant: { status: 'granted', batch_id: lock.batch_id, deadline_at: lock.deadline_at },
  };
}

/** Releases the lock. A tick that lost its lock cannot release its successor's; its due time still counts. */
export function finishTick(
  state: TimedJobsState,
  batchId: string,
  nextDueAt: number | null,
): { next: TimedJobsState; owned: boolean } {
  if (state.lock?.batch_id !== batchId) {
    return { next: nextDueAt === null ? state : becomeDue(state, nextDueAt), owned: false };
  }
  const next_due_at = earliest(nextDueAt, state.lock.due_meanwhile);
  return { next: { ...state, lock: null, next_due_at }, owned: true };
}

/** Something is due at `at` (Unix milliseconds): the next due time moves earlier or does not change. */
export function becomeDue(state: TimedJobsState, at: number): TimedJobsState {
  const next_due_at = earliest(state.next_due_at, at);
  const lock = state.lock && { ...state.lock, due_meanwhile: earliest(state.lock.due_meanwhile, at) };
  const same = next_due_at === state.next_due_at && lock?.due_meanwhile === state.lock?.due_meanwhile;
  return same ? state : { ...state, next_due_at, lock };
}

/** When the alarm has to fire; null for never. */
export function nextAlarm(state: TimedJobsState, now: number): number | null {
  if (state.next_due_at === null) return null;
  return Math.max(state.next_due_at, now + TICK_TIMING.min_gap_ms);
}

/** How the tick of an alarm ended. */
export type AlarmOutcome = 'done' | 'busy' | 'failed';

/** What follows the tick of an alarm: after one that did not run or failed there is another try, also when nothing is due. */
export function afterAlarm(
  state: TimedJobsState,
  outcome: AlarmOutcome,
  now: number,
): { next: TimedJobsState; alarmAt: number | null } {
  switch (outcome) {
    case 'done': {
      const next = state.failures === 0 ? state : { ...state, failures: 0 };
      return { next, alarmAt: nextAlarm(next, now) };
    }
    case 'busy':
      return { next: state, alarmAt: now + TICK_TIMING.busy_retry_ms };
    case 'failed': {
      const failures = state.failures + 1;
      return { next: { ...state, failures }, alarmAt: now + retryDelayMs(failures, FAILED_TICK, 0) };
    }
    default:
      return outcome satisfies never;
  }
}

export interface TickFacts {
  /** Whether this tick holds the lock. */
  locked: boolean;
  runners: number;
  mode: SystemMode;
  /** The node that leads now; null for none. */
  leader_id: string | null;
}

/** What the ordinary runners of a tick may do; the first reason in this order decides. */
export function decideTick(facts: TickFacts): TickDecision {
  if (!facts.locked) return 'skipped_busy';
  if (facts.runners === 0) return 'skipped_no_runners';
  if (facts.mode === 'paused') return 'skipped_system_paused';
  if (facts.leader_id === null) return 'skipped_not_leader';
  return 'scheduled';
}

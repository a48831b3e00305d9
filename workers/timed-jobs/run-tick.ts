/**
 * One tick: take the lock, decide, run the jobs, store the log, release the lock with the next due time. Ordinary jobs
 * need a running system and a leader; the others run in every tick that has the lock. A job that throws fails alone; a
 * throw outside the jobs makes the tick `failed`, and the lock is released all the same. A tick that has used its time
 * starts no further job: the next tick, due at once, runs them.
 */
import { automationState, leaderLease, timedJobs } from '../../durable-objects/stubs.ts';
import type { LeaseView } from '../../schema/contracts/leader.ts';
import type { AlarmTickResult } from '../../schema/contracts/objects.ts';
import type { SystemMode } from '../../schema/contracts/system.ts';
import type { TickDecision, TickGrant, TickResponse, TickTrigger } from '../../schema/contracts/ticks.ts';
import { FRAMEWORK_RUNNER } from '../../schema/contracts/ticks.ts';
import { TIMED_JOBS } from '../../schema/defaults.ts';
import { observe, TICK_DURATION } from '../../schema/domain/counters.ts';
import { decideTick } from '../../schema/domain/tick.ts';
import { newId } from '../../schema/ids.ts';
import { METER } from '../db/meter.ts';
import { runBatch } from '../db/open.ts';
import { log } from '../log.ts';
import { offerLease } from '../nodes/push.ts';
import { nextDueAt } from '../renewal/next-due.ts';
import { settings } from '../settings.ts';
import { RUNNERS } from './registry.ts';
import type { Work } from './run-jobs.ts';
import { runJobs } from './run-jobs.ts';
import type { GrantedTick, Tick, TickDeps } from './tick.ts';
import { openTick } from './tick.ts';
import { keptEntries } from './tick-log.ts';
import { insertTick } from './ticks.ts';

export interface TickRequest {
  trigger: TickTrigger;
  /** Unix milliseconds, of a cron tick only. */
  scheduledTime: number | null;
  now: number;
}

const DEPS: TickDeps = { runners: RUNNERS, random: Math.random, log, budget_ms: TIMED_JOBS.tick_budget_ms };

interface Outcome {
  decision: TickDecision;
  next_due_at: number | null;
}

/** Runs a tick if it may; the response says what was decided. Throws only when the lock cannot be reached. */
export async function runTick(env: Env, request: TickRequest, given: Partial<TickDeps> = {}): Promise<TickResponse> {
  const { trigger, scheduledTime, now } = request;
  const jobs = timedJobs(env);
  const grant = await jobs.begin(trigger, scheduledTime);
  let nextDueAt: number | null = null;
  try {
    const { batch_id, decision, next_due_at } = await runGranted(env, { trigger, now, grant }, given);
    nextDueAt = next_due_at;
    return { batch_id, decision };
  } finally {
    if (grant.status === 'granted') await jobs.finish(grant.batch_id, nextDueAt);
  }
}

/** Runs the tick of an alarm. TimedJobs took its lock, and releases it when it gets the result. */
export async function runAlarmTick(env: Env, grant: TickGrant, now: number): Promise<AlarmTickResult> {
  const { decision, next_due_at } = await runGranted(env, { trigger: 'alarm', now, grant }, {});
  return { decision, next_due_at };
}

/** Without the lock nothing runs, and the log says why. */
async function runGranted(env: Env, request: GrantedTick, given: Partial<TickDeps>): Promise<TickResponse & Outcome> {
  const { grant, now } = request;
  const granted = grant.status === 'granted';
  const tick = openTick(env, request, { ...DEPS, ...given }, granted ? grant.batch_id : newId('tick', now));
  const outcome = granted ? await attempt(tick) : skipBusy(tick, grant.status);
  await storeLog(tick, outcome.decision);
  return { batch_id: tick.batch_id, ...outcome };
}

function skipBusy(tick: Tick, why: string): Outcome {
  tick.logAs(FRAMEWORK_RUNNER)('tick_skipped_busy', 'skipped_busy', { why });
  return { decision: 'skipped_busy', next_due_at: null };
}

async function attempt(tick: Tick): Promise<Outcome> {
  try {
    return await decideAndRun(tick);
  } catch (error) {
    tick.logAs(FRAMEWORK_RUNNER)('tick_failed', 'failed', { error: String(error) });
    return { decision: 'failed', next_due_at: null };
  }
}

async function decideAndRun(tick: Tick): Promise<Outcome> {
  const { env, db, deps } = tick;
  const framework = tick.logAs(FRAMEWORK_RUNNER);
  const { mode, lease } = await readObjects(env);
  const decision = decideTick({ locked: true, runners: deps.runners.length, mode, leader_id: lease.holder_id });
  if (decision === 'skipped_no_runners') {
    framework('tick_skipped_no_runners', decision);
    return { decision, next_due_at: null };
  }
  framework('tick_started', 'running');
  // A candidate that did not notice the free lease hears of it here.
  if (decision === 'skipped_not_leader') await offerLease(env, lease);
  const work = await runJobs(tick, decision, mode);
  const result = decision === 'scheduled' && work.failures > 0 ? 'completed_with_failures' : decision;
  framework('tick_completed', result, { duration_ms: tick.elapsedMs(), failed_runners: work.failures, ...db.usage });
  const next_due_at = await dueNext(tick, decision === 'scheduled' ? mode : 'paused', work);
  return { decision: result, next_due_at };
}

/** When the next tick is due. While the ordinary jobs are skipped (`paused`), only unfinished work makes one due. */
async function dueNext(
  { env, db, request: { now } }: Tick,
  mode: SystemMode,
  { failures, unfinished }: Work,
): Promise<number | null> {
  const { rows_written } = db.usage;
  const set = settings(env);
  const due = unfinished > 0 ? now : await nextDueAt(db, set, mode);
  if (due === null) return null;
  // Neither the work of a failed job, nor work that a tick did not change by a single row, is retried at once.
  const isStuck = failures > 0 || (unfinished === 0 && due <= now && rows_written === 0);
  return isStuck ? Math.max(due, now + Math.max(TIMED_JOBS.recheck_min_ms, set.interval_ms)) : due;
}

/** Mode and lease, once D1's fence has caught up with both objects. */
async function readObjects(env: Env): Promise<{ mode: SystemMode; lease: LeaseView }> {
  const state = automationState(env);
  const lease = leaderLease(env);
  const fences = await Promise.all([state.ensureFence(), lease.ensureFence()]);
  if (fences.includes(false)) throw new Error('fence_lag');
  const [{ mode }, view] = await Promise.all([state.read(), lease.read()]);
  return { mode, lease: view };
}

/** One line in Workers Logs, one row in D1. A tick does not fail because its log cannot be stored. */
async function storeLog(tick: Tick, decision: TickDecision): Promise<void> {
  const { batch_id, db, request, deps } = tick;
  const entries = keptEntries(tick.entries);
  METER.add(observe(TICK_DURATION, tick.elapsedMs()));
  deps.log(decision === 'failed' ? 'error' : 'info', 'tick', { batch_id, trigger: request.trigger, decision, entries });
  try {
    const { trigger, now: started_at } = request;
    await runBatch(db, [
      insertTick(db, { batch_id, trigger, decision, started_at, finished_at: started_at + tick.elapsedMs(), entries }),
    ]);
  } catch (error) {
    deps.log('error', 'tick_log', { batch_id, error: String(error) });
  }
}

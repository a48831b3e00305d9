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
import type { TickDecision, TickEntry, TickGrant, TickResponse, TickTrigger } from '../../schema/contracts/ticks.ts';
import { FRAMEWORK_RUNNER } from '../../schema/contracts/ticks.ts';
import { TIMED_JOBS } from '../../schema/defaults.ts';
import { decideTick } from '../../schema/domain/tick.ts';
import { newId } from '../../schema/ids.ts';
import type { Database } from '../db/open.ts';
import { openDatabase, runBatch } from '../db/open.ts';
import { log } from '../log.ts';
import { offerLease } from '../nodes/push.ts';
import { nextDueAt } from '../renewal/next-due.ts';
import { settings } from '../settings.ts';
import type { Runner } from './job.ts';
import { MORE } from './job.ts';
import { RUNNERS } from './registry.ts';
import type { EntryDetails, Logger } from './tick-log.ts';
import { keptEntries, tickEntry } from './tick-log.ts';
import { insertTick } from './ticks.ts';

export interface TickRequest {
  trigger: TickTrigger;
  /** Unix milliseconds, of a cron tick only. */
  scheduledTime: number | null;
  now: number;
}

/** A tick whose lock has been asked for. */
type GrantedTick = Pick<TickRequest, 'trigger' | 'now'> & { grant: TickGrant };

export interface TickDeps {
  runners: readonly Runner[];
  random: () => number;
  log: typeof log;
  /** Milliseconds after which no further job is started. */
  budget_ms: number;
}

const DEPS: TickDeps = { runners: RUNNERS, random: Math.random, log, budget_ms: TIMED_JOBS.tick_budget_ms };

/** D1 statements of a tick beside its jobs: one reads the next due time, one stores the log. */
export const FRAMEWORK_QUERIES = 2;

interface Tick {
  env: Env;
  db: Database;
  request: GrantedTick;
  deps: TickDeps;
  batch_id: string;
  entries: TickEntry[];
  /** Milliseconds since the tick began. Measured apart from `request.now`, which tests set. */
  elapsedMs(): number;
  logAs(runner: string): Logger;
}

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

function openTick(env: Env, request: GrantedTick, deps: TickDeps, batch_id: string): Tick {
  const entries: TickEntry[] = [];
  const origin = { batch_id, trigger: request.trigger };
  const openedAt = Date.now();
  const elapsedMs = () => Date.now() - openedAt;
  const logAs =
    (runner: string): Logger =>
    (stage, result, details: EntryDetails = {}) =>
      void entries.push(tickEntry(origin, runner, stage, result, details, request.now + elapsedMs()));
  return { env, db: openDatabase(env.DB), request, deps, batch_id, entries, elapsedMs, logAs };
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

interface Work {
  /** Jobs that threw. */
  failures: number;
  /** Jobs that were not started, or left something, for want of time or room. */
  unfinished: number;
}

async function runJobs(tick: Tick, decision: TickDecision, mode: SystemMode): Promise<Work> {
  const work: Work = { failures: 0, unfinished: 0 };
  const runs = (runner: Runner) => decision === 'scheduled' || !runner.ordinary;
  for (const [at, runner] of tick.deps.runners.entries()) {
    if (!runs(runner)) tick.logAs(runner.name)('runner_skipped', decision);
    else if (tick.elapsedMs() > tick.deps.budget_ms) {
      tick.logAs(runner.name)('runner_skipped', 'out_of_time');
      work.unfinished += 1;
    } else {
      const later = tick.deps.runners.slice(at + 1).filter(runs);
      const result = await runJob(tick, runner, mode, later);
      if (result === null) work.failures += 1;
      if (result === MORE) work.unfinished += 1;
    }
  }
  return work;
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

/** The job's result; null when it threw. */
async function runJob(tick: Tick, runner: Runner, mode: SystemMode, later: readonly Runner[]): Promise<string | null> {
  const { env, db, request, deps, batch_id } = tick;
  const log = tick.logAs(runner.name);
  const startedMs = tick.elapsedMs();
  log('runner_started', 'running');
  try {
    const result = await runner.run({
      env,
      db,
      now: request.now,
      random: deps.random,
      mode,
      settings: settings(env),
      batch_id,
      trigger: request.trigger,
      log,
      hasRoom: () => db.usage.queries + (runner.queries.each ?? 0) + reservedQueries(later) <= TIMED_JOBS.tick_queries,
    });
    log('runner_completed', result, { duration_ms: tick.elapsedMs() - startedMs });
    return result;
  } catch (error) {
    log('runner_failed', 'failed', { duration_ms: tick.elapsedMs() - startedMs, error: String(error) });
    return null;
  }
}

/** What the rest of a tick needs after a job: its own statements, and the base of every later job. */
export function reservedQueries(later: readonly Runner[]): number {
  return later.reduce((sum, { queries }) => sum + queries.base, FRAMEWORK_QUERIES);
}

/** One line in Workers Logs, one row in D1. A tick does not fail because its log cannot be stored. */
async function storeLog(tick: Tick, decision: TickDecision): Promise<void> {
  const { batch_id, db, request, deps } = tick;
  const entries = keptEntries(tick.entries);
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

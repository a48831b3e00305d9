/**
 * One tick under the lock of TimedJobs: decide, run the registry, write the log, and compute when the next tick is due.
 * Ordinary runners need a running system and a leader; reapers run on every tick that holds the lock. A runner that throws
 * fails alone; an error of the framework makes the tick `failed`. A tick that has used its time starts no further runner:
 * the next one, due at once, continues.
 */
import { allHubs, automationState, leaderLease, timedJobs } from '../../durable-objects/stubs.ts';
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
import { settings } from '../settings.ts';
import type { Runner, RunnerContext } from './job.ts';
import { MORE } from './job.ts';
import { RUNNERS } from './registry.ts';
import type { EntryDetails, Logger } from './tick-log.ts';
import { keptEntries, tickEntry } from './tick-log.ts';
import { insertTick, nextDueAt } from './ticks.ts';

export interface TickRequest {
  trigger: TickTrigger;
  /** Cron's own time of this tick (Unix milliseconds), which identifies a second delivery; null for the others. */
  scheduledTime: number | null;
  now: number;
}

/** A tick whose lock has been asked for. */
type GrantedTick = Pick<TickRequest, 'trigger' | 'now'> & { grant: TickGrant };

export interface TickDeps {
  runners: readonly Runner[];
  random: () => number;
  log: typeof log;
  /** Milliseconds after which no further runner is begun. */
  budget_ms: number;
}

const DEPS: TickDeps = { runners: RUNNERS, random: Math.random, log, budget_ms: TIMED_JOBS.tick_budget_ms };

interface Tick {
  env: Env;
  db: Database;
  request: GrantedTick;
  deps: TickDeps;
  batch_id: string;
  entries: TickEntry[];
  /** Milliseconds since it began, by the Worker's own clock. */
  elapsed(): number;
  logAs(runner: string): Logger;
}

interface Outcome {
  decision: TickDecision;
  next_due_at: number | null;
}

/** Runs the tick of cron or a person, and releases its lock. Throws only when TimedJobs cannot be reached. */
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
  const outcome = granted ? await attempt(tick) : skippedBusy(tick, grant.status);
  await record(tick, outcome.decision);
  return { batch_id: tick.batch_id, ...outcome };
}

function openTick(env: Env, request: GrantedTick, deps: TickDeps, batch_id: string): Tick {
  const entries: TickEntry[] = [];
  const origin = { batch_id, trigger: request.trigger };
  const openedAt = Date.now();
  const elapsed = () => Date.now() - openedAt;
  const logAs =
    (runner: string): Logger =>
    (stage, result, details: EntryDetails = {}) =>
      void entries.push(tickEntry(origin, runner, stage, result, details, request.now + elapsed()));
  return { env, db: openDatabase(env.DB), request, deps, batch_id, entries, elapsed, logAs };
}

function skippedBusy(tick: Tick, why: string): Outcome {
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
  if (decision === 'skipped_not_leader') await offerLease(tick, lease);
  const ordinary = decision === 'scheduled';
  let failures = 0;
  let left = 0;
  for (const runner of deps.runners) {
    if (!ordinary && runner.ordinary) tick.logAs(runner.name)('runner_skipped', decision);
    else if (tick.elapsed() > deps.budget_ms) {
      tick.logAs(runner.name)('runner_skipped', 'out_of_time');
      left += 1;
    } else {
      const result = await runOne(tick, runner, mode);
      if (result === null) failures += 1;
      if (result === MORE) left += 1;
    }
  }
  const result = ordinary && failures > 0 ? 'completed_with_failures' : decision;
  framework('tick_completed', result, { duration_ms: tick.elapsed(), failed_runners: failures, ...db.usage });
  return {
    decision: result,
    next_due_at: await dueNext(tick, { ordinary, projects: mode === 'running', failures, left }),
  };
}

/** When the next tick is due. While ordinary runners are skipped, only what the reapers left over is due. */
async function dueNext(
  { env, db, request: { now } }: Tick,
  { ordinary, projects, failures, left }: { ordinary: boolean; projects: boolean; failures: number; left: number },
): Promise<number | null> {
  const { rows_written } = db.usage;
  const set = settings(env);
  // What was left over for lack of time or room is still due.
  const due = left > 0 ? now : ordinary ? await nextDueAt(db, set, projects) : null;
  if (due === null) return null;
  // A failed runner leaves its work due, and a tick that wrote nothing could not do what is due: neither is retried at
  // once.
  const stuck = failures > 0 || (left === 0 && due <= now && rows_written === 0);
  return stuck ? Math.max(due, now + Math.max(TIMED_JOBS.recheck_min_ms, set.interval_ms)) : due;
}

/** Mode and lease, once D1's fence has what both objects have. */
async function readObjects(env: Env): Promise<{ mode: SystemMode; lease: LeaseView }> {
  const state = automationState(env);
  const lease = leaderLease(env);
  const fences = await Promise.all([state.ensureFence(), lease.ensureFence()]);
  if (fences.includes(false)) throw new Error('fence_lag');
  const [{ mode }, view] = await Promise.all([state.read(), lease.read()]);
  return { mode, lease: view };
}

/** Both candidates may have lost contact without closing their sockets: this notifies the next node of the free lease. */
async function offerLease({ env, deps, batch_id }: Tick, lease: LeaseView): Promise<void> {
  for (const offer of await Promise.allSettled(allHubs(env).map((hub) => hub.offerLease(lease)))) {
    if (offer.status === 'rejected') deps.log('error', 'offer_lease', { batch_id, error: String(offer.reason) });
  }
}

/** The runner's result; null when it threw. */
async function runOne(tick: Tick, runner: Runner, mode: SystemMode): Promise<string | null> {
  const { env, db, request, deps, batch_id } = tick;
  const logger = tick.logAs(runner.name);
  const context: RunnerContext = {
    env,
    db,
    now: request.now,
    random: deps.random,
    mode,
    settings: settings(env),
    batch_id,
    trigger: request.trigger,
    log: logger,
  };
  const startedMs = tick.elapsed();
  logger('runner_started', 'running');
  try {
    const result = await runner.run(context);
    logger('runner_completed', result, { duration_ms: tick.elapsed() - startedMs });
    return result;
  } catch (error) {
    logger('runner_failed', 'failed', { duration_ms: tick.elapsed() - startedMs, error: String(error) });
    return null;
  }
}

/** One line in Workers Logs, one row in D1. A log that cannot be written does not fail the tick. */
async function record(tick: Tick, decision: TickDecision): Promise<void> {
  const { batch_id, db, request, deps } = tick;
  const entries = keptEntries(tick.entries);
  deps.log(decision === 'failed' ? 'error' : 'info', 'tick', { batch_id, trigger: request.trigger, decision, entries });
  try {
    const { trigger, now: started_at } = request;
    await runBatch(db, [
      insertTick(db, { batch_id, trigger, decision, started_at, finished_at: started_at + tick.elapsed(), entries }),
    ]);
  } catch (error) {
    deps.log('error', 'tick_log', { batch_id, error: String(error) });
  }
}

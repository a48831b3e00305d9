/** Runs the jobs of a tick one after the other, within its time and its D1 statements. */
import type { SystemMode } from '../../schema/contracts/system.ts';
import type { TickDecision } from '../../schema/contracts/ticks.ts';
import { TIMED_JOBS } from '../../schema/defaults.ts';
import { settings } from '../settings.ts';
import type { Runner } from './job.ts';
import { MORE } from './job.ts';
import type { Tick } from './tick.ts';

/** D1 statements of a tick beside its jobs: one reads the next due time, one stores the log. */
export const FRAMEWORK_QUERIES = 2;

export interface Work {
  /** Jobs that threw. */
  failures: number;
  /** Jobs that were not started, or left something, for want of time or room. */
  unfinished: number;
}

/** Ordinary jobs run in a tick that is `scheduled`, the others in every tick. */
export async function runJobs(tick: Tick, decision: TickDecision, mode: SystemMode): Promise<Work> {
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
      defer: (work) => void tick.deferred.push(work),
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

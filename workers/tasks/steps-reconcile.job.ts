/**
 * `steps.reconcile`: nothing runs without a deadline ahead of it. A run whose node has not reported until its deadline is
 * `lost`: its step is offered again while attempts last. What that node reports later is `stale_run`.
 */
import { asc, sql } from 'drizzle-orm';
import { isLiveRun } from '../../schema/domain/run-machine.ts';
import type { RunEnd } from '../../schema/domain/task-progress.ts';
import type { RunRow } from '../../schema/tables/index.ts';
import { runs } from '../../schema/tables/index.ts';
import { commit } from '../db/commit.ts';
import { guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import { mergePlans } from '../db/plan.ts';
import { LIVE_RUN_SQL } from '../db/task-sql.ts';
import type { Runner, RunnerContext } from '../timed-jobs/job.ts';
import { MORE } from '../timed-jobs/job.ts';
import { loadRun } from './own-run.ts';
import { endOwnRun } from './run-end.ts';

const MAX_PER_TICK = 50;

export const stepsReconcile: Runner = {
  name: 'steps.reconcile',
  ordinary: false,
  // The look is counted with the first run: in a tick without room for both, the next tick looks.
  queries: { base: 0, each: 14 },
  async run(context) {
    const { db, now, log } = context;
    if (!context.hasRoom()) return MORE;
    const late = await db
      .select({ run_id: runs.run_id, step_id: runs.step_id })
      .from(runs)
      .where(sql`${runs.status} ${LIVE_RUN_SQL} AND ${runs.deadline_at} <= ${now}`)
      .orderBy(asc(runs.deadline_at))
      .limit(MAX_PER_TICK);
    for (const [at, { run_id, step_id }] of late.entries()) {
      if (at > 0 && !context.hasRoom()) return MORE;
      const lost = await loseRun(context, run_id, step_id);
      if (lost !== null) log('job_failed', 'run_lost', { run_id, step_id, controller_id: lost.controller_id });
    }
    if (late.length === MAX_PER_TICK) return MORE;
    return late.length === 0 ? 'idle' : 'ok';
  },
};

/** The run that was lost; null for one that has reported meanwhile. */
async function loseRun(context: RunnerContext, runId: string, stepId: string): Promise<RunRow | null> {
  const { db, now } = context;
  const notifications: Promise<unknown>[] = [];
  const waitUntil = (work: Promise<unknown>) => void notifications.push(work);
  const lost = await commit({ db, now, by: null, idempotency: null, waitUntil }, async () => {
    const own = await loadRun(db, { step_id: stepId, run_id: runId });
    if (own === null || !isLiveRun(own.run.status) || (own.run.deadline_at ?? now) > now) return { response: null };
    const { plan } = await endOwnRun(context, own, lateEnd(own.run), { reporter: null });
    return { ...mergePlans({ guards: [guardDeadline(db, own.run)] }, plan), response: own.run };
  });
  await Promise.all(notifications);
  return lost;
}

/** No heartbeat has moved it since. */
function guardDeadline(db: Database, { run_id, deadline_at }: RunRow): Statement {
  return guardThat(db, sql`EXISTS (SELECT 1 FROM runs WHERE run_id = ${run_id} AND deadline_at IS ${deadline_at})`);
}

function lateEnd({ controller_id, summary }: RunRow): RunEnd {
  const error_text = `the node ${controller_id} did not report until the deadline`;
  return { status: 'lost', summary, error_code: 'deadline', error_text, final: false };
}

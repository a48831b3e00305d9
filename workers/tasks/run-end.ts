/** The end of a run: what it makes of its step, its task, and what waits for them, in one batch. */
import { and, eq, gte } from 'drizzle-orm';
import type { RunCompleteBody, RunEndResponse, RunFailBody } from '../../schema/contracts/runs.ts';
import { HANDED_OVER } from '../../schema/contracts/runs.ts';
import { RUN } from '../../schema/defaults.ts';
import { ANY_TARGET } from '../../schema/domain/task-claim.ts';
import type { RunEnd } from '../../schema/domain/task-progress.ts';
import { endRun, failedAs, succeeded } from '../../schema/domain/task-progress.ts';
import type { RunRow } from '../../schema/tables/index.ts';
import { runs, steps } from '../../schema/tables/index.ts';
import type { Edge, Plan, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import type { Ahead } from './ahead.ts';
import { readEndingRun } from './ahead.ts';
import type { OwnRun, RunCaller } from './own-run.ts';
import { guardLive, requireOwnRun } from './own-run.ts';
import { storeProgress } from './store-progress.ts';

export async function completeRun(
  edge: Edge,
  caller: RunCaller,
  body: RunCompleteBody,
): Promise<WritePlan<RunEndResponse>> {
  const { own, ahead } = await readEndingRun(edge.db, caller);
  return reportedEnd(edge, own, body, succeeded(body.summary ?? null), ahead);
}

export async function failRun(edge: Edge, caller: RunCaller, body: RunFailBody): Promise<WritePlan<RunEndResponse>> {
  const own = await requireOwnRun(edge.db, caller);
  return reportedEnd(edge, own, body, failedAs(body), null);
}

async function reportedEnd(
  edge: Edge,
  own: OwnRun,
  { exit_code = null, signal = null, usage, session_id }: RunCompleteBody,
  end: RunEnd,
  ahead: Ahead | null,
): Promise<WritePlan<RunEndResponse>> {
  const { run } = own;
  const reported = { exit_code, signal, usage: usage ?? run.usage, session_id: session_id ?? run.session_id };
  const { plan, response } = await endOwnRun(edge, own, end, { reported, reporter: run.controller_id, ahead });
  return { ...plan, subject_id: run.run_id, response };
}

type Reported = Pick<RunRow, 'exit_code' | 'signal' | 'usage' | 'session_id'>;

/** Ends a live run. `reporter`: its node, which asks for work by itself after this; null for another one that ends it. */
export async function endOwnRun(
  edge: Edge,
  own: OwnRun,
  end: RunEnd,
  {
    reported = {},
    reporter,
    ahead = null,
  }: { reported?: Partial<Reported>; reporter: string | null; ahead?: Ahead | null },
): Promise<{ plan: Plan; response: RunEndResponse }> {
  const { db, now } = edge;
  const { task, step, run } = own;
  const next = endRun({ task, step, run: run.status }, end, { step_count: task.step_count, now });
  const { run_id, task_id, controller_id } = run;
  const { summary, error_code, error_text } = end;
  const isHandedOver =
    end.status === 'lost' && error_code === HANDED_OVER && task.constraints.target_host === undefined;
  const stored = {
    status: next.run,
    summary,
    error_code,
    error_text,
    deadline_at: null,
    finished_at: now,
    ...reported,
  };
  const data = { task_id, step_id: step.step_id, controller_id, status: next.run, error_code };
  return {
    plan: mergePlans(
      {
        guards: [guardLive(db, own)],
        statements: [db.update(runs).set(stored).where(eq(runs.run_id, run_id))],
        events: [{ topic: 'runs', type: 'ended', subject_id: run_id, data }],
      },
      isHandedOver ? letOthersContinue(edge, own) : {},
      await storeProgress(
        edge,
        { task, step: isHandedOver ? { ...step, target: ANY_TARGET } : step },
        next,
        reporter,
        ahead,
      ),
    ),
    response: { run_id, status: next.run, step_status: next.step.status, task_status: next.task.status },
  };
}

/**
 * Any other node continues the task, whether it leads or not, because the one that gave it up may lead. After a while that
 * node may take it too: there may be no other.
 */
function letOthersContinue({ db, now }: Edge, { run, step }: OwnRun): Plan {
  const set = {
    target: ANY_TARGET,
    except_controller_id: run.controller_id,
    except_until: now + RUN.hand_over_except_ms,
  };
  return {
    statements: [
      db
        .update(steps)
        .set(set)
        .where(and(eq(steps.task_id, run.task_id), gte(steps.step_index, step.step_index))),
    ],
  };
}

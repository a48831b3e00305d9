/** A live run, as the node or the worker that holds it reports it. */
import { and, eq, sql } from 'drizzle-orm';
import type { Principal } from '../../schema/contracts/tokens.ts';
import { isLiveRun } from '../../schema/domain/run-machine.ts';
import { AppError } from '../../schema/errors.ts';
import type { RunRow, StepRow, TaskRow } from '../../schema/tables/index.ts';
import { runs, steps, tasks } from '../../schema/tables/index.ts';
import { guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import { LIVE_RUN_SQL } from '../db/task-sql.ts';

export interface OwnRun {
  task: TaskRow;
  step: StepRow;
  run: RunRow;
}

export interface RunCaller {
  step_id: string;
  run_id: string;
  principal: Principal;
}

/** A run with its step and its task; null for a run that the step does not have any more. */
export async function loadRun(
  db: Database,
  { step_id, run_id }: Pick<RunCaller, 'step_id' | 'run_id'>,
): Promise<OwnRun | null> {
  const [[step], [run], [task]] = await db.batch(selectRun(db, { step_id, run_id }));
  const isCurrent = run !== undefined && run.step_id === step_id && step?.run_id === run_id;
  return isCurrent && step !== undefined && task !== undefined ? { task, step, run } : null;
}

/**
 * Throws `step_not_found`, `not_owner` for a run of another node or worker, and `stale_run` for a run that has ended or
 * that is not the step's current one: the caller ends what is left of it, and reports nothing more.
 */
export async function requireOwnRun(db: Database, caller: RunCaller): Promise<OwnRun> {
  return ownRun(caller, await db.batch(selectRun(db, caller)));
}

/** The same of rows that were read. */
export function ownRun({ step_id, run_id, principal }: RunCaller, [[step], [run], [task]]: FoundRun): OwnRun {
  if (step === undefined || task === undefined) throw new AppError('step_not_found', `there is no step ${step_id}`);
  if (run !== undefined) requireHolder(run, principal);
  if (run === undefined || run.step_id !== step_id || step.run_id !== run_id || !isLiveRun(run.status)) {
    throw staleRun(run_id, run);
  }
  return { task, step, run };
}

type FoundRun = readonly [StepRow[], RunRow[], TaskRow[]];

/** The selects of a batch: the step, the run, and the task of the step. */
export function selectRun(db: Database, { step_id, run_id }: Pick<RunCaller, 'step_id' | 'run_id'>) {
  const ofStep = sql`${tasks.task_id} = (SELECT task_id FROM steps WHERE step_id = ${step_id})`;
  return [
    db.select().from(steps).where(eq(steps.step_id, step_id)),
    db.select().from(runs).where(eq(runs.run_id, run_id)),
    db.select().from(tasks).where(ofStep),
  ] as const;
}

/** A claim made for a worker binds the run to its token; any other run is reported by its node. */
function requireHolder({ controller_id, worker_subject }: RunRow, principal: Principal): void {
  const isNodes = principal.controller_id === controller_id;
  const isHolder = worker_subject === null ? principal.role === 'controller' : principal.subject === worker_subject;
  if (isNodes && isHolder) return;
  const holder = worker_subject === null ? controller_id : `the worker ${worker_subject} of ${controller_id}`;
  throw new AppError('not_owner', `this run belongs to ${holder}`, { details: { field: 'run_id' } });
}

function staleRun(runId: string, run: RunRow | undefined): AppError {
  const why =
    run === undefined
      ? 'there is no such run'
      : isLiveRun(run.status)
        ? 'another run has its step'
        : `it is ${run.status}`;
  return new AppError('stale_run', `the run ${runId} is over: ${why}; end what is left of it and report nothing more`, {
    details: { field: 'run_id', status: run?.status ?? null, error_code: run?.error_code ?? null },
  });
}

/** The run is live, and its step's own; otherwise the write is decided again, and refused as `stale_run`. */
export function guardLive(db: Database, { run, step }: Pick<OwnRun, 'run' | 'step'>): Statement {
  return guardThat(
    db,
    sql`EXISTS (SELECT 1 FROM runs AS r JOIN steps AS s ON s.step_id = r.step_id WHERE ${and(
      sql`r.run_id = ${run.run_id}`,
      sql`r.status ${LIVE_RUN_SQL}`,
      sql`s.step_id = ${step.step_id}`,
      sql`s.run_id = r.run_id`,
    )})`,
  );
}

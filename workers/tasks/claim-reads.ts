/** What a claim reads: by keys and by the index over ready steps, so its cost does not grow with what is stored. */
import type { SQL } from 'drizzle-orm';
import { and, asc, desc, eq, lt, sql } from 'drizzle-orm';
import type { ClaimedRun } from '../../schema/contracts/runs.ts';
import type { SystemMode } from '../../schema/contracts/system.ts';
import type { ClaimScope } from '../../schema/domain/task-claim.ts';
import type { RunRow, StepRow, TaskRow } from '../../schema/tables/index.ts';
import { checkpoint_contents, runs, steps, tasks } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import type { Edge } from '../db/plan.ts';

export interface ClaimFacts {
  mode: SystemMode;
  mode_version: number;
  host: string | null;
  draining: boolean;
  /** The run of an earlier claim with the same key. */
  repeated_run_id: string | null;
}

export async function readClaimFacts(db: Database, nodeId: string, claimKey: string): Promise<ClaimFacts> {
  const row = await db.get<
    Omit<ClaimFacts, 'draining'> & { draining: number | null }
  >(sql`SELECT f.mode, f.mode_version,
      n.host, n.draining,
      (SELECT run_id FROM runs WHERE controller_id = ${nodeId} AND claim_key = ${claimKey}) AS repeated_run_id
    FROM fence AS f LEFT JOIN nodes AS n ON n.controller_id = ${nodeId} WHERE f.id = 1`);
  return { ...row, draining: row.draining === 1 };
}

/**
 * The ready step of that scope with the highest priority; of equal ones first those of tasks that have begun, then the
 * oldest. Seeks once for each target, need and readiness.
 */
export async function findReadyStep(
  { db, now }: Pick<Edge, 'db' | 'now'>,
  nodeId: string,
  scope: ClaimScope,
): Promise<string | null> {
  const list = (values: readonly string[]): SQL => sql`json_each(${JSON.stringify(values)})`;
  const row = await db.get<{ step_id: string } | undefined>(sql`SELECT s.step_id
    FROM ${list(scope.targets)} AS target CROSS JOIN ${list(scope.needs)} AS need CROSS JOIN ${list(scope.ready)} AS readiness
    CROSS JOIN steps AS s ON s.step_id = (SELECT step_id FROM steps INDEXED BY steps_ready
      WHERE ready IS NOT NULL AND target = target.value AND needs = need.value AND ready = readiness.value
        AND (except_controller_id IS NOT ${nodeId} OR except_until <= ${now})
      ORDER BY priority DESC, step_id LIMIT 1)
    ORDER BY s.priority DESC, s.ready DESC, s.step_id LIMIT 1`);
  return row?.step_id ?? null;
}

/** A step with its task and all that a run of it needs. */
export interface ClaimMaterial {
  task: TaskRow;
  step: StepRow;
  /** The run of the step before this one. */
  previous: ClaimedRun['previous'];
  outputs: ClaimedRun['outputs'];
  /** The newest whole `git_diff` of the task. */
  patch_checkpoint_id: string | null;
}

/** Null when the step is gone. `before`: the run whose predecessor is asked for; null for a step that is being claimed. */
export async function readMaterial(db: Database, stepId: string, before: RunRow | null): Promise<ClaimMaterial | null> {
  const ofStep = sql`(SELECT task_id FROM steps WHERE step_id = ${stepId})`;
  const [found, ofTask, earlier, patches, previous] = await db.batch([
    db.select().from(steps).where(eq(steps.step_id, stepId)),
    db.select().from(tasks).where(sql`${tasks.task_id} = ${ofStep}`),
    db
      .select({
        step_id: steps.step_id,
        run_id: steps.run_id,
        kind: steps.kind,
        name: steps.name,
        status: steps.status,
        summary: steps.summary,
      })
      .from(steps)
      .where(
        and(
          sql`${steps.task_id} = ${ofStep}`,
          lt(steps.step_index, sql`(SELECT step_index FROM steps WHERE step_id = ${stepId})`),
        ),
      )
      .orderBy(asc(steps.step_index)),
    db
      .select({ run_id: checkpoint_contents.run_id, seq: checkpoint_contents.seq })
      .from(checkpoint_contents)
      .where(and(sql`${checkpoint_contents.task_id} = ${ofStep}`, eq(checkpoint_contents.type, 'git_diff')))
      .orderBy(desc(checkpoint_contents.step_id))
      .limit(1),
    db
      .select({
        run_id: runs.run_id,
        controller_id: runs.controller_id,
        status: runs.status,
        error_code: runs.error_code,
        session_id: runs.session_id,
      })
      .from(runs)
      .where(previousOf(stepId, before)),
  ]);
  const [step] = found;
  const [task] = ofTask;
  if (step === undefined || task === undefined) return null;
  const [patch] = patches;
  const patch_checkpoint_id = patch === undefined ? null : checkpointId(patch);
  return { task, step, previous: previous[0] ?? null, outputs: earlier, patch_checkpoint_id };
}

/** Before a claim, the step's run is the previous one; of a repeated claim, the run before that. */
function previousOf(stepId: string, run: RunRow | null): SQL {
  if (run === null) return sql`${runs.run_id} = (SELECT run_id FROM steps WHERE step_id = ${stepId})`;
  return sql`${runs.run_id} = (SELECT max(run_id) FROM runs WHERE task_id = ${run.task_id} AND run_id < ${run.run_id}
    AND step_id = ${stepId})`;
}

/** How a checkpoint is named. */
export function checkpointId({ run_id, seq }: { run_id: string; seq: number }): string {
  return `${run_id}/${seq}`;
}

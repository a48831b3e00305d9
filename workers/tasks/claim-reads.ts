/**
 * What a claim reads, in one round trip: by keys and by the index over ready steps, so its cost does not grow with what is
 * stored.
 */
import type { SQL } from 'drizzle-orm';
import { eq, getTableColumns, sql } from 'drizzle-orm';
import type { ClaimedRun } from '../../schema/contracts/runs.ts';
import type { SystemMode } from '../../schema/contracts/system.ts';
import type { ClaimScope } from '../../schema/domain/task-claim.ts';
import type { RunRow, StepRow, TaskRow } from '../../schema/tables/index.ts';
import { runs, steps, tasks } from '../../schema/tables/index.ts';
import { columnsUnder } from '../db/columns.ts';
import type { Database } from '../db/open.ts';
import type { Edge } from '../db/plan.ts';
import { OPEN_TASK_SQL, taskIs } from '../db/task-sql.ts';

type Reading = Pick<Edge, 'db' | 'now'>;

export interface ClaimFacts {
  mode: SystemMode;
  mode_version: number;
  draining: boolean;
  /** No task is queued or running. A blocked one waits for a person, whose request offers its step. */
  idle: boolean;
  /** The run of an earlier claim with the same key. */
  repeated_run_id: string | null;
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

interface Claim {
  controller_id: string;
  claim_key: string;
  scope: ClaimScope;
}

/** The facts that permit a claim, and the step that it would take; `ready` is null when none waits in that scope. */
export async function readClaim(
  edge: Reading,
  { controller_id, claim_key, scope }: Claim,
): Promise<{ facts: ClaimFacts; ready: ClaimMaterial | null }> {
  const { db } = edge;
  const [[facts], ready] = await db.batch([
    selectFacts(db, controller_id, claim_key),
    selectMaterial(db, readyStep(edge, controller_id, scope)),
  ]);
  if (facts === undefined) throw new Error('the fence has no row');
  return { facts: { ...facts, draining: facts.draining === 1, idle: facts.has_open === 0 }, ready: ready[0] ?? null };
}

/** The step alone, in another scope. */
export async function readReady(edge: Reading, nodeId: string, scope: ClaimScope): Promise<ClaimMaterial | null> {
  const [ready] = await selectMaterial(edge.db, readyStep(edge, nodeId, scope));
  return ready ?? null;
}

/** What an earlier claim gave; null when the run or its step is gone. */
export async function readRepeated(
  db: Database,
  runId: string,
): Promise<{ run: RunRow; material: ClaimMaterial } | null> {
  const ofRun = sql`(SELECT step_id FROM runs WHERE run_id = ${runId})`;
  const before = sql`(SELECT max(b.run_id) FROM runs AS b WHERE b.task_id = steps.task_id AND b.run_id < ${runId}
    AND b.step_id = steps.step_id)`;
  const [[run], [material]] = await db.batch([
    db.select().from(runs).where(eq(runs.run_id, runId)),
    selectMaterial(db, ofRun, before),
  ]);
  return run === undefined || material === undefined ? null : { run, material };
}

function selectFacts(db: Database, nodeId: string, claimKey: string) {
  return db.all<
    Omit<ClaimFacts, 'draining' | 'idle'> & { draining: number | null; has_open: number }
  >(sql`SELECT f.mode, f.mode_version, n.draining,
      EXISTS (SELECT 1 FROM tasks WHERE status ${OPEN_TASK_SQL} AND status ${taskIs('queued', 'running')}) AS has_open,
      (SELECT run_id FROM runs WHERE controller_id = ${nodeId} AND claim_key = ${claimKey}) AS repeated_run_id
    FROM fence AS f LEFT JOIN nodes AS n ON n.controller_id = ${nodeId} WHERE f.id = 1`);
}

/**
 * The id of the ready step of that scope with the highest priority, in SQL; of equal ones first those of tasks that have
 * begun, then the oldest. Seeks once for each target (with the node's host), need and readiness, but only when any step is
 * ready: most claims find none.
 */
function readyStep({ now }: Pick<Reading, 'now'>, nodeId: string, scope: ClaimScope): SQL {
  const list = (values: readonly string[]): SQL => sql`json_each(${JSON.stringify(values)})`;
  return sql`CASE WHEN EXISTS (SELECT 1 FROM steps AS any_step INDEXED BY steps_ready WHERE any_step.ready IS NOT NULL)
    THEN (SELECT s.step_id
    FROM (SELECT value FROM ${list(scope.targets)}
      UNION SELECT host FROM nodes WHERE controller_id = ${nodeId} AND host IS NOT NULL) AS target
    CROSS JOIN ${list(scope.needs)} AS need CROSS JOIN ${list(scope.ready)} AS readiness
    CROSS JOIN steps AS s ON s.step_id = (SELECT w.step_id FROM steps AS w INDEXED BY steps_ready
      WHERE w.ready IS NOT NULL AND w.target = target.value AND w.needs = need.value AND w.ready = readiness.value
        AND (w.except_controller_id IS NOT ${nodeId} OR w.except_until <= ${now})
      ORDER BY w.priority DESC, w.step_id LIMIT 1)
    ORDER BY s.priority DESC, s.ready DESC, s.step_id LIMIT 1) END`;
}

/** Of a step that is being claimed, the run that it has is the previous one. */
const RUN_OF_STEP = sql.raw('steps.run_id');

/** Step and task in one row, with what else a run needs as JSON. `stepId` and `previousId` are SQL. */
function selectMaterial(db: Database, stepId: SQL, previousId: SQL = RUN_OF_STEP) {
  return db
    .select({
      step: getTableColumns(steps),
      task: columnsUnder(tasks, 'task_'),
      previous: previousRun(previousId),
      outputs: earlierSteps(),
      patch_checkpoint_id: newestPatch(),
    })
    .from(steps)
    .innerJoin(tasks, eq(tasks.task_id, steps.task_id))
    .where(eq(steps.step_id, stepId));
}

const fromJson = <T>(value: unknown): T => JSON.parse(String(value)) as T;

function previousRun(runId: SQL) {
  return sql`(SELECT json_object('run_id', r.run_id, 'controller_id', r.controller_id, 'status', r.status,
      'error_code', r.error_code, 'session_id', r.session_id) FROM runs AS r WHERE r.run_id = ${runId})`
    .mapWith((value) => fromJson<ClaimedRun['previous']>(value))
    .as('previous');
}

/** The steps before it, in their order. */
function earlierSteps() {
  return sql`(SELECT json_group_array(json_object('step_id', e.step_id, 'run_id', e.run_id, 'kind', e.kind, 'name', e.name,
      'status', e.status, 'summary', e.summary)) FROM (SELECT * FROM steps AS o
      WHERE o.task_id = steps.task_id AND o.step_index < steps.step_index ORDER BY o.step_index) AS e)`
    .mapWith((value) => fromJson<ClaimedRun['outputs']>(value))
    .as('outputs');
}

function newestPatch() {
  return sql<string | null>`(SELECT c.run_id || '/' || c.seq FROM checkpoint_contents AS c
      WHERE c.task_id = steps.task_id AND c.type = 'git_diff' ORDER BY c.step_id DESC LIMIT 1)`.as(
    'patch_checkpoint_id',
  );
}

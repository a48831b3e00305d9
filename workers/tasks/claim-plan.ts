/** What a claim writes: a run, and the step and the task that it makes `running`. */
import { eq, sql } from 'drizzle-orm';
import type { ClaimBody } from '../../schema/contracts/runs.ts';
import { NEW_LOG } from '../../schema/contracts/runs.ts';
import { TASK } from '../../schema/defaults.ts';
import { moveStep } from '../../schema/domain/step-machine.ts';
import { LEADERS_TARGET } from '../../schema/domain/task-claim.ts';
import { moveTask } from '../../schema/domain/task-machine.ts';
import { newId } from '../../schema/ids.ts';
import type { RunRow } from '../../schema/tables/index.ts';
import { runs, steps, tasks } from '../../schema/tables/index.ts';
import { guardLeader, guardModeVersion, guardThat } from '../db/guards.ts';
import type { Statement } from '../db/open.ts';
import type { Edge, Plan } from '../db/plan.ts';
import type { ClaimMaterial } from './claim-reads.ts';

const NOTHING_REPORTED = {
  hand_over_at: null,
  interrupt_at: null,
  progress: null,
  exit_code: null,
  signal: null,
  summary: null,
  error_code: null,
  error_text: null,
  checkpoint_seq: 0,
  usage: null,
  session_id: null,
  log: NEW_LOG,
  started_at: null,
  finished_at: null,
} as const;

/** The run of that step for the node that claims it. */
export function newRun(body: ClaimBody, { task, step }: ClaimMaterial, now: number): RunRow {
  const { controller_id, claim_key, worker_subject = null } = body;
  const grace_ms = task.constraints.takeover_after_ms ?? TASK.takeover_after_ms;
  return {
    run_id: newId('run', now),
    task_id: task.task_id,
    step_id: step.step_id,
    attempt: step.attempt + 1,
    status: 'prepared',
    controller_id,
    worker_subject,
    claim_key,
    grace_ms,
    deadline_at: now + grace_ms,
    ...NOTHING_REPORTED,
    created_at: now,
  };
}

/** `term`: of the leader; it counts for a step that is addressed to no host. */
export function claimPlan(
  edge: Edge,
  run: RunRow,
  material: ClaimMaterial,
  { mode_version, term }: { mode_version: number; term: number | undefined },
): Plan {
  const { db } = edge;
  const { task, step } = material;
  const { run_id, attempt, controller_id } = run;
  const { task_id } = task;
  const byLeader = step.target === LEADERS_TARGET && term !== undefined;
  const claimed = { task_id, step_id: step.step_id, step_index: step.step_index, attempt, controller_id };
  return {
    guards: [
      guardModeVersion(db, mode_version),
      ...(byLeader ? [guardLeader(db, controller_id, term)] : []),
      guardReady(edge, run, material),
    ],
    statements: [db.insert(runs).values(run), ...makeRunning(edge, run, material)],
    events: [
      ...(task.status === 'queued'
        ? [{ topic: 'tasks', type: 'changed', subject_id: task_id, data: { status: 'running' } } as const]
        : []),
      { topic: 'runs', type: 'claimed', subject_id: run_id, data: claimed },
    ],
  };
}

/** The step is ready as it was read, and no person drains the node. */
function guardReady({ db }: Edge, { controller_id }: RunRow, { task, step }: ClaimMaterial): Statement {
  return guardThat(
    db,
    sql`EXISTS (SELECT 1 FROM steps AS s JOIN tasks AS t USING (task_id) WHERE s.step_id = ${step.step_id}
      AND s.ready IS NOT NULL AND s.status = ${step.status} AND s.attempt = ${step.attempt}
      AND t.status = ${task.status} AND t.cancel_requested_at IS NULL)
      AND NOT EXISTS (SELECT 1 FROM nodes WHERE controller_id = ${controller_id} AND draining = 1)`,
  );
}

function makeRunning({ db, now }: Edge, run: RunRow, { task, step }: ClaimMaterial): Statement[] {
  const { run_id, attempt, controller_id } = run;
  const ofStep = {
    status: moveStep(step.status, 'running'),
    attempt,
    run_id,
    ready: null,
    started_at: step.started_at ?? now,
    finished_at: null,
  };
  const ofTask = {
    ...(task.status === 'queued' ? { status: moveTask(task.status, 'running') } : {}),
    assigned_controller_id: controller_id,
    started_at: task.started_at ?? now,
    updated_at: now,
  };
  return [
    db.update(steps).set(ofStep).where(eq(steps.step_id, step.step_id)),
    db.update(tasks).set(ofTask).where(eq(tasks.task_id, task.task_id)),
  ];
}

/** Replaces the steps of a task that has not begun. */
import { eq, sql } from 'drizzle-orm';
import type { TaskDetail, TaskPlanBody } from '../../schema/contracts/tasks.ts';
import type { Principal } from '../../schema/contracts/tokens.ts';
import { planSteps } from '../../schema/domain/task-plan.ts';
import { AppError } from '../../schema/errors.ts';
import type { TaskRow } from '../../schema/tables/index.ts';
import { steps, tasks } from '../../schema/tables/index.ts';
import { insertRows } from '../db/bulk.ts';
import { guardLeader, guardThat } from '../db/guards.ts';
import type { Statement } from '../db/open.ts';
import type { Edge, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { taskIs } from '../db/task-sql.ts';
import { findNode } from '../nodes/nodes.ts';
import { offerSteps } from './offers.ts';
import { stepRows } from './step-rows.ts';
import { requireTask, taskDetail } from './task-reads.ts';

/** Throws `task_not_found`, `conflict` once it has begun, and for a node `not_leader`, `stale_term` or `not_owner`. */
export async function planTask(
  edge: Edge,
  taskId: string,
  body: TaskPlanBody,
  principal: Principal,
): Promise<WritePlan<TaskDetail>> {
  const { db, now } = edge;
  const { task, step } = await requireTask(db, taskId);
  const hasBegun = task.current_step_index > 0 || (step !== null && step.run_id !== null);
  if (task.status !== 'queued' || hasBegun) {
    throw new AppError('conflict', `only a task that has not begun can be planned; this one is ${task.status}`);
  }
  const planner = principal.controller_id;
  const guards = planner === null ? [] : await nodeMayPlan(edge, task, body, planner);
  // No person has seen the steps that a node plans: each host judges them by its own policy.
  const is_persons = task.is_persons && planner === null;
  const planned = planSteps({ ...task, steps: body.steps }) ?? [];
  const rows = stepRows(task, planned, now);
  const [first] = rows;
  const isReady = first !== undefined && first.ready !== null;
  const detail = await taskDetail(db, taskId);
  return {
    ...mergePlans(
      {
        guards: [
          ...guards,
          guardThat(
            db,
            sql`EXISTS (SELECT 1 FROM tasks AS t JOIN steps AS s USING (task_id) WHERE t.task_id = ${taskId}
              AND t.status ${taskIs('queued')} AND t.waits_for = ${task.waits_for}
              AND s.step_index = 0 AND s.step_id IS ${step?.step_id ?? null} AND s.run_id IS NULL)`,
          ),
        ],
        statements: [
          db.delete(steps).where(eq(steps.task_id, taskId)),
          ...insertRows(db, steps, rows),
          db
            .update(tasks)
            .set({ step_count: rows.length, is_persons, updated_at: now })
            .where(eq(tasks.task_id, taskId)),
        ],
        events: [{ topic: 'tasks', type: 'planned', subject_id: taskId, data: { steps: rows.length } }],
      },
      isReady ? await offerSteps(edge, [{ step_id: first.step_id, task_id: taskId, target: first.target }]) : {},
    ),
    subject_id: taskId,
    response: { ...detail, is_persons, updated_at: now, steps: rows.map(shownStep) },
  };
}

/** The live term, unless the task is addressed to the node; and only where its creator gave no steps. */
async function nodeMayPlan(
  { db }: Edge,
  { constraints, has_own_steps }: TaskRow,
  { term }: TaskPlanBody,
  nodeId: string,
): Promise<Statement[]> {
  if (has_own_steps) throw new AppError('conflict', 'the creator of this task gave its steps; a person replaces them');
  const { target_host } = constraints;
  if (target_host !== undefined) {
    const host = (await findNode(db, nodeId))?.host;
    if (target_host === nodeId || target_host === host) return [];
    throw new AppError('not_owner', `this task is addressed to ${target_host}`);
  }
  if (term === undefined) {
    throw new AppError('not_leader', 'only the leader plans a task that is addressed to no host; name its term', {
      details: { field: 'term' },
    });
  }
  return [guardLeader(db, nodeId, term)];
}

function shownStep(row: ReturnType<typeof stepRows>[number]): TaskDetail['steps'][number] {
  const { needs: _needs, target: _target, priority: _priority, ready: _ready, ...step } = row;
  const nothing = {
    run_id: null,
    usage: null,
    summary: null,
    error_code: null,
    error_text: null,
    started_at: null,
    finished_at: null,
  };
  return { ...step, ...nothing };
}

/** Creating a task, with its steps, and planning one that is queued. */

import { sql } from 'drizzle-orm';
import type { TaskCreateBody, TaskCreated } from '../../schema/contracts/tasks.ts';
import { TASK } from '../../schema/defaults.ts';
import { planSteps, TASK_TEMPLATES } from '../../schema/domain/task-plan.ts';
import { AppError } from '../../schema/errors.ts';
import { newId } from '../../schema/ids.ts';
import { steps, tasks } from '../../schema/tables/index.ts';
import { insertRows } from '../db/bulk.ts';
import type { Edge, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { OPEN_TASK_SQL } from '../db/task-sql.ts';
import { DEPENDENCY_FAILED, waitForTasks } from './dependencies.ts';
import { offerSteps } from './offers.ts';
import { stepRows } from './step-rows.ts';

/** Who creates a task. */
export interface TaskOrigin {
  created_by: string;
  /** A person creates it, or has approved it. */
  is_persons: boolean;
  /** The chat and the instruction that ask for it. */
  chat: { local_conversation_id: string; instruction_id: string } | null;
}

/** Throws `invalid_request` for a type without steps and template, and for tasks that cannot be waited for. */
export async function createTask(
  edge: Edge,
  body: TaskCreateBody,
  origin: TaskOrigin,
): Promise<WritePlan<TaskCreated>> {
  const { db, now } = edge;
  const planned = planSteps(body);
  if (planned === null) throw noTemplate(body.task_type);
  if (origin.chat !== null) await requireRoom(edge, origin.chat.local_conversation_id);
  const task_id = newId('task', now);
  const waiting = await waitForTasks(edge, task_id, body.constraints?.after ?? []);
  const task = { ...taskRow(body, origin, task_id, now), ...startOf(waiting), step_count: planned.length };
  const rows = stepRows(task, planned, now);
  const [first] = rows;
  const isReady = first !== undefined && first.ready !== null;
  const { status, branch_name, base_ref } = task;
  return {
    ...mergePlans(
      waiting.plan,
      {
        statements: [db.insert(tasks).values(task), ...insertRows(db, steps, rows)],
        events: [{ topic: 'tasks', type: 'created', subject_id: task_id, data: { status, title: task.title } }],
      },
      isReady ? await offerSteps(edge, [{ step_id: first.step_id, task_id, target: first.target }]) : {},
    ),
    subject_id: task_id,
    response: { task_id, status, branch_name, base_ref },
  };
}

/** A chat that creates tasks in a loop fills neither the database nor the queue of the hosts. */
async function requireRoom({ db }: Edge, conversationId: string): Promise<void> {
  const max = TASK.max_open_of_chat;
  const { open } = await db.get<{ open: number }>(sql`SELECT count(*) AS open FROM (SELECT 1 FROM tasks
    WHERE local_conversation_id = ${conversationId} AND status ${OPEN_TASK_SQL} LIMIT ${max})`);
  if (open < max) return;
  throw new AppError('conflict', `this conversation has ${max} tasks that have not ended; wait for one, or cancel one`);
}

function startOf({ waits_for, isBlocked }: { waits_for: number; isBlocked: boolean }) {
  const blocked = { error_code: DEPENDENCY_FAILED, error_text: 'a task that it waits for did not succeed' };
  return { waits_for, status: isBlocked ? ('blocked' as const) : ('queued' as const), ...(isBlocked ? blocked : {}) };
}

function taskRow(body: TaskCreateBody, { created_by, is_persons, chat }: TaskOrigin, task_id: string, now: number) {
  const { repo = null, task_type, title, goal, priority = TASK.priority, constraints = {}, steps: given } = body;
  const branch = body.branch_name ?? (repo === null ? null : `conductor/${task_id}`);
  return {
    task_id,
    task_type,
    repo,
    title,
    goal,
    acceptance: body.acceptance ?? [],
    priority,
    constraints,
    notify: body.notify ?? chat !== null,
    hold_renewal: body.hold_renewal ?? false,
    base_ref: body.base_ref ?? null,
    branch_name: branch,
    metadata: body.metadata ?? {},
    created_by,
    is_persons,
    local_conversation_id: chat?.local_conversation_id ?? null,
    instruction_id: chat?.instruction_id ?? null,
    has_own_steps: given !== undefined,
    current_step_index: 0,
    created_at: now,
    updated_at: now,
  };
}

function noTemplate(taskType: string): AppError {
  const expected = `one of ${TASK_TEMPLATES.join(', ')}, or steps of its own; ${taskType} has no template`;
  return new AppError('invalid_request', `task_type: ${expected}`, {
    details: { in: 'body', field: 'task_type', expected },
  });
}

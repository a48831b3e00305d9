/**
 * Tasks that wait for others. A task may begin when all of `constraints.after` are done. While one of them has failed or
 * was canceled it is blocked; a retry of that one queues it again. Each statement touches the tasks that wait for one
 * task only, whose number is bounded when they are created.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import { TASK } from '../../schema/defaults.ts';
import { moveTask } from '../../schema/domain/task-machine.ts';
import { AppError } from '../../schema/errors.ts';
import { task_dependencies } from '../../schema/tables/index.ts';
import { insertRows } from '../db/bulk.ts';
import { guardThat } from '../db/guards.ts';
import type { Database } from '../db/open.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { taskIs } from '../db/task-sql.ts';
import type { Offer } from './offers.ts';

/** Why a task is blocked that waits for one without success. */
export const DEPENDENCY_FAILED = 'dependency_failed';

interface WaitedFor {
  task_id: string;
  status: string | null;
  dependents: number;
}

export interface Waiting {
  waits_for: number;
  /** A task that it waits for has ended without success. */
  isBlocked: boolean;
  plan: Plan;
}

/** What the tasks of `after` mean for a new task. Throws `invalid_request` for one that cannot be waited for. */
export async function waitForTasks({ db }: Edge, taskId: string, after: readonly string[]): Promise<Waiting> {
  if (after.length === 0) return { waits_for: 0, isBlocked: false, plan: {} };
  const named = sql`json_each(${JSON.stringify(after)}) AS named`;
  const found = await db.all<WaitedFor>(sql`SELECT named.value AS task_id, t.status,
      (SELECT count(*) FROM (SELECT 1 FROM task_dependencies AS d WHERE d.after_task_id = named.value
        LIMIT ${TASK.max_dependents})) AS dependents
    FROM ${named} LEFT JOIN tasks AS t ON t.task_id = named.value`);
  for (const one of found) requireWaitable(one);
  const open = found.filter(({ status }) => status !== 'done');
  const asRead = JSON.stringify(found);
  return {
    waits_for: open.length,
    isBlocked: open.some(({ status }) => status === 'failed' || status === 'canceled'),
    plan: {
      guards: [
        guardThat(
          db,
          sql`NOT EXISTS (SELECT 1 FROM json_each(${asRead}) AS was CROSS JOIN tasks AS t
            WHERE t.task_id = was.value->>'task_id' AND t.status <> was.value->>'status')`,
        ),
      ],
      statements: insertRows(
        db,
        task_dependencies,
        open.map(({ task_id: after_task_id }) => ({ after_task_id, task_id: taskId })),
      ),
    },
  };
}

function requireWaitable({ task_id, status, dependents }: WaitedFor): void {
  const field = 'constraints.after';
  const details = { in: 'body', field };
  if (status === null) {
    const expected = `tasks that exist; there is no task ${task_id}`;
    throw new AppError('invalid_request', `${field}: ${expected}`, { details: { ...details, expected } });
  }
  if (dependents < TASK.max_dependents) return;
  const expected = `tasks that fewer than ${TASK.max_dependents} wait for; ${task_id} has as many`;
  throw new AppError('invalid_request', `${field}: ${expected}`, { details: { ...details, expected } });
}

const dependentsOf = (taskId: string): SQL =>
  sql`(SELECT d.task_id FROM task_dependencies AS d WHERE d.after_task_id = ${taskId})`;

/** The steps that may begin when that task is done, as a select. `taskId` is SQL. */
export function selectReleased(db: Database, taskId: SQL) {
  return db.all<Offer>(sql`SELECT s.step_id, s.task_id, s.target
    FROM task_dependencies AS d CROSS JOIN tasks AS t CROSS JOIN steps AS s
    WHERE d.after_task_id = ${taskId} AND t.task_id = d.task_id AND t.waits_for = 1 AND t.status ${taskIs('queued')}
      AND s.task_id = t.task_id AND s.step_index = t.current_step_index`);
}

/** A task is done: those that wait for it alone may begin. */
export function releaseDependents({ db, now }: Edge, taskId: string): Plan {
  return {
    statements: [
      db.run(sql`UPDATE tasks SET waits_for = waits_for - 1, updated_at = ${now}
        WHERE task_id IN ${dependentsOf(taskId)} AND waits_for > 0`),
      db.run(sql`UPDATE steps SET ready = 'begins' WHERE status = 'pending' AND step_id IN (
        SELECT s.step_id FROM task_dependencies AS d CROSS JOIN tasks AS t CROSS JOIN steps AS s
        WHERE d.after_task_id = ${taskId} AND t.task_id = d.task_id AND t.waits_for = 0 AND t.status ${taskIs('queued')}
          AND s.task_id = t.task_id AND s.step_index = t.current_step_index)`),
    ],
  };
}

/** A task has ended without success: those that wait for it are blocked. */
export function blockDependents({ db, now }: Edge, taskId: string): Plan {
  const why = `the task ${taskId}, which it waits for, did not succeed`;
  return {
    statements: [
      db.run(sql`UPDATE tasks SET status = ${moveTask('queued', 'blocked')}, error_code = ${DEPENDENCY_FAILED}, error_text = ${why},
          updated_at = ${now}
        WHERE task_id IN ${dependentsOf(taskId)} AND status ${taskIs('queued')}`),
    ],
  };
}

/** A task is tried again: those that were blocked by it alone wait for it again. */
export function queueDependents({ db, now }: Edge, taskId: string): Plan {
  return {
    statements: [
      db.run(sql`UPDATE tasks SET status = ${moveTask('blocked', 'queued')}, error_code = NULL, error_text = NULL, updated_at = ${now}
        WHERE task_id IN ${dependentsOf(taskId)} AND status ${taskIs('blocked')} AND error_code = ${DEPENDENCY_FAILED}
          AND NOT EXISTS (
            SELECT 1 FROM json_each(CASE WHEN json_valid(tasks.constraints) THEN tasks.constraints ELSE '{}' END, '$.after')
              AS named CROSS JOIN tasks AS other
            WHERE other.task_id = named.value AND other.task_id <> ${taskId}
              AND other.status ${taskIs('failed', 'canceled')})`),
    ],
  };
}

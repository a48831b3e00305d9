/**
 * Tasks that a restored database shows as queued or running. They may have run since, so they end instead of running a
 * second time; a person tries them again. What their nodes report later is `stale_run`.
 */
import { sql } from 'drizzle-orm';
import type { TaskStatus } from '../../schema/contracts/tasks.ts';
import { moveTask } from '../../schema/domain/task-machine.ts';
import { guardThat } from '../db/guards.ts';
import type { Database } from '../db/open.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { LIVE_RUN_SQL, OPEN_TASK_SQL, taskIs } from '../db/task-sql.ts';

export interface OpenTask {
  task_id: string;
  status: TaskStatus;
}

/** Those that wait for a person stay as they are. */
export async function openTasks(db: Database, limit: number): Promise<OpenTask[]> {
  return db.all<OpenTask>(sql`SELECT task_id, status FROM tasks
    WHERE status ${OPEN_TASK_SQL} AND status ${taskIs('queued', 'running')} LIMIT ${limit}`);
}

export function quarantineTasks({ db, now }: Edge, found: readonly OpenTask[], reason: string): Plan {
  if (found.length === 0) return {};
  const ends = found.map(({ task_id, status }) => ({
    task_id,
    status,
    next: moveTask(status, status === 'queued' ? 'canceled' : 'failed'),
  }));
  const end = sql`(SELECT value->>'task_id' AS task_id, value->>'status' AS was, value->>'next' AS next
    FROM json_each(${JSON.stringify(ends)})) AS e`;
  const inEnds = sql`(SELECT value->>'task_id' FROM json_each(${JSON.stringify(ends)}))`;
  return {
    guards: [
      guardThat(
        db,
        sql`(SELECT count(*) FROM ${end} CROSS JOIN tasks AS t WHERE t.task_id = e.task_id AND t.status = e.was)
          = ${ends.length}`,
      ),
    ],
    statements: [
      db.run(sql`UPDATE runs SET status = 'lost', error_code = ${reason}, deadline_at = NULL, finished_at = ${now}
        WHERE status ${LIVE_RUN_SQL} AND task_id IN ${inEnds}`),
      db.run(sql`UPDATE steps SET status = CASE status WHEN 'running' THEN 'failed' ELSE 'canceled' END,
          ready = NULL, error_code = ${reason}, finished_at = ${now}
        WHERE task_id IN ${inEnds} AND status IN ('pending', 'running')`),
      db.run(sql`UPDATE tasks SET status = e.next, error_code = ${reason}, finished_at = ${now}, updated_at = ${now}
        FROM ${end} WHERE tasks.task_id = e.task_id`),
    ],
    events: ends.map(({ task_id, next }) => ({
      topic: 'tasks',
      type: 'ended',
      subject_id: task_id,
      data: { status: next, error_code: reason },
    })),
  };
}

/** Whether a draining system has finished. Reads partial indexes only, each up to its first row. */
import { sql } from 'drizzle-orm';
import type { Database } from '../db/open.ts';
import { EXECUTING_SQL } from '../db/status-sql.ts';
import { OPEN_TASK_SQL, taskIs } from '../db/task-sql.ts';

/**
 * False while a task has begun, an instruction is claimed or runs, a reply is due for what was executed, a delivery is under way, or a job
 * is due at `now`. Approvals and jobs of a later time are not begun, and do not count.
 */
export async function isDrained(db: Database, now: number): Promise<boolean> {
  const row = await db.get<{ busy: number }>(sql`SELECT
    EXISTS (SELECT 1 FROM instructions WHERE status ${EXECUTING_SQL})
    OR EXISTS (SELECT 1 FROM tasks WHERE status ${OPEN_TASK_SQL} AND status ${taskIs('running')})
    OR EXISTS (SELECT 1 FROM task_notices WHERE due_at <= ${now})
    OR EXISTS (SELECT 1 FROM messages WHERE reply_due_at IS NOT NULL)
    OR EXISTS (SELECT 1 FROM renewal_jobs WHERE status = 'running')
    OR EXISTS (SELECT 1 FROM renewal_jobs WHERE status = 'pending' AND next_attempt_at <= ${now}) AS busy`);
  return row.busy === 0;
}

/** How many tasks are open, for snapshot and metrics. Each is counted up to a limit, so that a long queue costs no more. */
import { sql } from 'drizzle-orm';
import type { Status } from '../../schema/contracts/status.ts';
import type { TaskStatus } from '../../schema/contracts/tasks.ts';
import { OPEN_COUNT_MAX } from '../../schema/defaults.ts';
import type { Database } from '../db/open.ts';
import { LIVE_RUN_SQL, OPEN_TASK_SQL, taskIs } from '../db/task-sql.ts';

export async function countTasks(db: Database): Promise<Status['tasks']> {
  const count = (status: TaskStatus) =>
    sql`(SELECT count(*) FROM (SELECT 1 FROM tasks WHERE status ${OPEN_TASK_SQL} AND status ${taskIs(status)} LIMIT ${OPEN_COUNT_MAX}))`;
  return db.get<Status['tasks']>(sql`SELECT ${count('queued')} AS queued, ${count('running')} AS running,
    ${count('blocked')} AS blocked,
    (SELECT count(*) FROM (SELECT 1 FROM runs WHERE status ${LIVE_RUN_SQL} LIMIT ${OPEN_COUNT_MAX})) AS runs`);
}

/**
 * Sets of task and run statuses as SQL, and conditions on tasks that several slices share. They are written out, not
 * bound: SQLite uses a partial index only for a condition that it can compare with the index's own.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import type { TaskStatus } from '../../schema/contracts/tasks.ts';
import { LIVE_RUN_STATUSES } from '../../schema/domain/run-machine.ts';
import { OPEN_TASK_STATUSES } from '../../schema/domain/task-machine.ts';

const inList = (statuses: readonly string[]): SQL =>
  sql.raw(`IN (${statuses.map((status) => `'${status}'`).join(', ')})`);

/** For `status ${OPEN_TASK_SQL}`, as the indexes of tasks have it. */
export const OPEN_TASK_SQL = inList(OPEN_TASK_STATUSES);
/** For `status ${LIVE_RUN_SQL}`, as the indexes of runs have it. */
export const LIVE_RUN_SQL = inList(LIVE_RUN_STATUSES);

/** For `status ${taskIs('queued')}` and the like: one or more statuses of a task, checked by the compiler. */
export function taskIs(...statuses: readonly TaskStatus[]): SQL {
  return inList(statuses);
}

/** A task of that conversation holds its renewals. The skip reason `task_pending`. */
export function taskPending(localConversationId: SQL): SQL {
  return sql`EXISTS (SELECT 1 FROM tasks AS holding WHERE holding.local_conversation_id = ${localConversationId}
    AND holding.hold_renewal = 1 AND holding.status ${OPEN_TASK_SQL})`;
}

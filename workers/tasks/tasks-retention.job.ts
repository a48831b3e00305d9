/**
 * `tasks.retention`: deletes tasks that ended long ago, with their steps, runs, logs, checkpoints and notices, one task
 * after the other, the oldest first. Looking reads one row of an index.
 */
import { asc, sql } from 'drizzle-orm';
import { RETENTION } from '../../schema/defaults.ts';
import { isEndedTask } from '../../schema/domain/task-machine.ts';
import { tasks } from '../../schema/tables/index.ts';
import { runBatch } from '../db/open.ts';
import type { Runner } from '../timed-jobs/job.ts';
import { MORE } from '../timed-jobs/job.ts';
import { deleteContentsOf } from './checkpoint-bucket.ts';
import { deleteTask, runsOf } from './delete-task.ts';

const OLDEST = 2;

export const tasksRetention: Runner = {
  name: 'tasks.retention',
  ordinary: false,
  // The look is counted with the task: in a tick without room for both, the next tick looks.
  queries: { base: 0, each: 11 },
  async run({ env, db, now, hasRoom }) {
    if (!hasRoom()) return MORE;
    const oldest = await db
      .select({ task_id: tasks.task_id, status: tasks.status })
      .from(tasks)
      .where(sql`finished_at IS NOT NULL AND ${tasks.finished_at} < ${now - RETENTION.task_ms}`)
      .orderBy(asc(tasks.finished_at))
      .limit(OLDEST);
    const [task] = oldest;
    if (task === undefined || !isEndedTask(task.status)) return 'idle';
    // The bucket before the rows: what remains after a failure is found by them again.
    await deleteContentsOf(env, await runsOf(db, task.task_id));
    await runBatch(db, deleteTask(db, task.task_id));
    return oldest.length === OLDEST ? MORE : 'ok';
  },
};

/** Deletes an ended task with everything that belongs to it. What is in a bucket is deleted before (checkpoint-bucket.ts). */
import { eq, sql } from 'drizzle-orm';
import { runs } from '../../schema/tables/index.ts';
import type { Database, Statement } from '../db/open.ts';

/** The ids of its runs, whose checkpoints may be in a bucket. */
export async function runsOf(db: Database, taskId: string): Promise<string[]> {
  const found = await db.select({ run_id: runs.run_id }).from(runs).where(eq(runs.task_id, taskId));
  return found.map(({ run_id }) => run_id);
}

/** Nine statements: the task with its steps, runs, logs, checkpoints and notices. */
export function deleteTask(db: Database, taskId: string): Statement[] {
  const itsRuns = sql`(SELECT run_id FROM runs WHERE task_id = ${taskId})`;
  return [
    db.run(sql`DELETE FROM run_logs WHERE run_id IN ${itsRuns}`),
    db.run(sql`DELETE FROM checkpoints WHERE run_id IN ${itsRuns}`),
    db.run(sql`DELETE FROM checkpoint_contents WHERE task_id = ${taskId}`),
    deleteMarks(db, taskId),
    db.run(sql`DELETE FROM runs WHERE task_id = ${taskId}`),
    db.run(sql`DELETE FROM steps WHERE task_id = ${taskId}`),
    db.run(sql`DELETE FROM task_dependencies WHERE after_task_id = ${taskId}`),
    db.run(sql`DELETE FROM task_notices WHERE task_id = ${taskId}`),
    db.run(sql`DELETE FROM tasks WHERE task_id = ${taskId}`),
  ];
}

/**
 * The marks of the outbox streams of its runs. A node has few outboxes: they are found by seeks, not by reading all of its
 * marks.
 */
function deleteMarks(db: Database, taskId: string): Statement {
  return db.run(sql`DELETE FROM outbox_marks WHERE (controller_id, outbox_id, stream) IN (
    WITH RECURSIVE outbox(controller_id, outbox_id) AS (
      SELECT DISTINCT r.controller_id, (SELECT min(m.outbox_id) FROM outbox_marks AS m WHERE m.controller_id = r.controller_id)
        FROM runs AS r WHERE r.task_id = ${taskId}
      UNION ALL SELECT o.controller_id, (SELECT min(m.outbox_id) FROM outbox_marks AS m
          WHERE m.controller_id = o.controller_id AND m.outbox_id > o.outbox_id)
        FROM outbox AS o WHERE o.outbox_id IS NOT NULL)
    SELECT o.controller_id, o.outbox_id, 'run:' || r.run_id FROM outbox AS o CROSS JOIN runs AS r
      WHERE o.outbox_id IS NOT NULL AND r.task_id = ${taskId} AND r.controller_id = o.controller_id)`);
}

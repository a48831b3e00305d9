/** The runs that a caller may read: a person all of them, a node its own and those before it in a task that it has now. */
import { eq } from 'drizzle-orm';
import type { Principal } from '../../schema/contracts/tokens.ts';
import type { RunRow } from '../../schema/tables/index.ts';
import { tasks } from '../../schema/tables/index.ts';
import { requireOwn } from '../auth/ownership.ts';
import type { Database } from '../db/open.ts';
import { requireRun } from './task-reads.ts';

/** Throws `run_not_found` and `not_owner`. */
export async function requireVisibleRun(db: Database, runId: string, principal: Principal): Promise<RunRow> {
  const run = await requireRun(db, runId);
  if (principal.controller_id === null || principal.controller_id === run.controller_id) return run;
  const task = await db
    .select({ assigned: tasks.assigned_controller_id })
    .from(tasks)
    .where(eq(tasks.task_id, run.task_id))
    .get();
  // A node that takes a step over reads the checkpoints of the one before it.
  if (task?.assigned !== principal.controller_id) requireOwn(principal.controller_id, run);
  return run;
}

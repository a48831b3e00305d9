/** What may be ready once a run has succeeded, read in one round trip together with the run. */
import { sql } from 'drizzle-orm';
import type { Database } from '../db/open.ts';
import { selectReleased } from './dependencies.ts';
import type { Offer, OfferNode } from './offers.ts';
import { selectNodes } from './offers.ts';
import type { OwnRun, RunCaller } from './own-run.ts';
import { ownRun, selectRun } from './own-run.ts';

export interface Ahead {
  /** The step after it; none after the last one. */
  next: readonly Offer[];
  /** The nodes that may claim that step. */
  nodes: readonly OfferNode[];
  /** The first steps of the tasks that wait for its task alone; of the last step only. */
  released: readonly Offer[];
}

/** Throws as `requireOwnRun`. */
export async function readEndingRun(db: Database, caller: RunCaller): Promise<{ own: OwnRun; ahead: Ahead }> {
  const { step_id } = caller;
  const after = sql`steps AS a CROSS JOIN steps AS n WHERE a.step_id = ${step_id} AND n.task_id = a.task_id
    AND n.step_index = a.step_index + 1`;
  const ifLast = sql`(SELECT l.task_id FROM steps AS l JOIN tasks AS o ON o.task_id = l.task_id
    WHERE l.step_id = ${step_id} AND o.step_count = l.step_index + 1)`;
  const [step, run, task, next, nodes, released] = await db.batch([
    ...selectRun(db, caller),
    db.all<Offer>(sql`SELECT n.step_id, n.task_id, n.target FROM ${after}`),
    selectNodes(db, sql`(SELECT n.target AS value FROM ${after})`),
    selectReleased(db, ifLast),
  ]);
  return { own: ownRun(caller, [step, run, task]), ahead: { next, nodes, released } };
}

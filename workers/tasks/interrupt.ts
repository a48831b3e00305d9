/** What `interrupt` adds to a pause: the nodes of all live runs are asked to end them. Their own reports say how they ended. */
import { and, inArray, isNull, sql } from 'drizzle-orm';
import { runs } from '../../schema/tables/index.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { LIVE_RUN_SQL } from '../db/task-sql.ts';
import { sendCommands } from '../nodes/push.ts';
import { endRunCommand } from './persons.ts';

/** Runs that one request interrupts. */
const MAX_AT_ONCE = 100;

export interface InterruptedRuns {
  plan: Plan;
  asked: number;
  more: boolean;
}

/** A run that was asked before is not asked again. */
export async function interruptRuns(edge: Edge): Promise<InterruptedRuns> {
  const { db, now } = edge;
  const isLive = and(sql`${runs.status} ${LIVE_RUN_SQL}`, isNull(runs.interrupt_at));
  const found = await db
    .select({ run_id: runs.run_id, step_id: runs.step_id, controller_id: runs.controller_id })
    .from(runs)
    .where(isLive)
    .limit(MAX_AT_ONCE + 1);
  const asked = found.slice(0, MAX_AT_ONCE);
  if (asked.length === 0) return { plan: {}, asked: 0, more: false };
  const ids = sql`(SELECT value FROM json_each(${JSON.stringify(asked.map(({ run_id }) => run_id))}))`;
  return {
    plan: mergePlans(
      {
        statements: [
          db
            .update(runs)
            .set({ interrupt_at: now })
            .where(and(inArray(runs.run_id, ids), isLive)),
        ],
        events: asked.map(({ run_id }) => ({ topic: 'runs', type: 'interrupt_asked', subject_id: run_id })),
      },
      sendCommands(
        edge,
        asked.map((run) => endRunCommand(now, run, 'interrupted')),
      ),
    ),
    asked: asked.length,
    more: found.length > MAX_AT_ONCE,
  };
}

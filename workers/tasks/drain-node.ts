/**
 * Draining a node: it claims nothing more, leads no more, and gives up what it runs, so that other hosts continue it. What
 * it was is stored in its row, so it stays drained through restarts until a person ends that.
 */
import { and, eq, isNull, sql } from 'drizzle-orm';
import { AppError } from '../../schema/errors.ts';
import { nodes, runs } from '../../schema/tables/index.ts';
import { guardThat } from '../db/guards.ts';
import type { Edge } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { LIVE_RUN_SQL } from '../db/task-sql.ts';
import { findNode } from '../nodes/nodes.ts';
import { pushChanged } from '../nodes/push.ts';
import { askToGiveUp } from './persons.ts';

/** Runs that one request asks for; a node has a few. */
const MAX_RUNS = 200;

/** With `on` false the node claims again. Throws `controller_not_found`. */
export async function drainNode(edge: Edge, nodeId: string, on: boolean) {
  const { db } = edge;
  const node = await findNode(db, nodeId);
  if (node === undefined) throw new AppError('controller_not_found', `there is no node ${nodeId}`);
  const live = on
    ? await db
        .select({ run_id: runs.run_id, step_id: runs.step_id, controller_id: runs.controller_id })
        .from(runs)
        .where(and(eq(runs.controller_id, nodeId), sql`${runs.status} ${LIVE_RUN_SQL}`, isNull(runs.hand_over_at)))
        .limit(MAX_RUNS)
    : [];
  return {
    ...mergePlans(
      {
        // A run that was claimed since the read would not be asked for.
        guards: [
          guardThat(
            db,
            sql`NOT ${on} OR (SELECT count(*) FROM (SELECT 1 FROM runs WHERE controller_id = ${nodeId}
              AND status ${LIVE_RUN_SQL} AND hand_over_at IS NULL LIMIT ${MAX_RUNS})) = ${live.length}`,
          ),
        ],
        statements: [db.update(nodes).set({ draining: on }).where(eq(nodes.controller_id, nodeId))],
        events: [{ topic: 'nodes', type: 'draining_changed', subject_id: nodeId, data: { draining: on } }],
      },
      askToGiveUp(edge, live),
      // A leader that is drained releases the lease, so that another node claims what is addressed to no host.
      { after: () => pushChanged(edge.env, nodeId, 'node', [nodeId]) },
    ),
    subject_id: nodeId,
    response: { controller_id: nodeId, draining: on, runs: live.map(({ run_id }) => run_id) },
  };
}

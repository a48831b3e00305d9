/** Notices to nodes that a step waits which they may claim. A node asks by itself too, only later: within minutes while no task is open. */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import { COMMAND } from '../../schema/defaults.ts';
import { ANY_TARGET, LEADERS_TARGET } from '../../schema/domain/task-claim.ts';
import { newId } from '../../schema/ids.ts';
import type { Database } from '../db/open.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { sendCommands } from '../nodes/push.ts';

export interface Offer {
  step_id: string;
  task_id: string;
  /** The host or node that it is addressed to; empty for the leader; `*` for any node. */
  target: string;
}

/** A node that may claim what is addressed to that target. */
export interface OfferNode {
  target: string;
  controller_id: string;
}

/** Nodes behind one target that are asked at most. */
const MAX_NODES = 4;

/**
 * The plan that offers those steps to the nodes that may claim them, but not to `except`, which asks by itself now. `known`:
 * the nodes behind each target, where they were read.
 */
export async function offerSteps(
  edge: Edge,
  offers: readonly Offer[],
  except: string | null = null,
  known: readonly OfferNode[] | null = null,
): Promise<Plan> {
  if (offers.length === 0) return {};
  const targets = JSON.stringify([...new Set(offers.map(({ target }) => target))]);
  const nodes = known ?? (await selectNodes(edge.db, sql`json_each(${targets})`));
  const drafts = offers.flatMap(({ step_id, task_id, target }) =>
    nodes
      .filter((node) => node.target === target && node.controller_id !== except)
      .map(({ controller_id }) => ({
        command_id: newId('command', edge.now),
        controller_id,
        kind: 'step.offer' as const,
        body: { step_id, task_id },
        expires_at: edge.now + COMMAND.expiry_ms,
      })),
  );
  return sendCommands(edge, drafts);
}

/** The nodes behind each target. `targets`: a source of rows with the column `value`. */
export function selectNodes(db: Database, targets: SQL) {
  return db.all<OfferNode>(sql`SELECT target.value AS target, n.controller_id FROM ${targets} AS target
    CROSS JOIN nodes AS n WHERE n.controller_id IN (
      SELECT holder_id FROM fence WHERE id = 1 AND target.value = ${LEADERS_TARGET}
      UNION SELECT controller_id FROM nodes WHERE controller_id = target.value
      UNION SELECT controller_id FROM (SELECT controller_id FROM nodes
        WHERE target.value = ${ANY_TARGET} AND draining = 0 ORDER BY controller_id LIMIT ${MAX_NODES})
      UNION SELECT controller_id FROM (SELECT controller_id FROM nodes WHERE host = target.value LIMIT ${MAX_NODES}))
      AND n.draining = 0`);
}

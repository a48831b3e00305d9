/**
 * How many browsers a node may have. A node's token can report browsers that do not exist, which may then be chosen for
 * calls and renewals; so their number is bounded, and each is shown with the time at which it was first seen.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import { BROWSERS } from '../../schema/defaults.ts';
import { AppError } from '../../schema/errors.ts';
import { guardThat } from '../db/guards.ts';
import type { Statement } from '../db/open.ts';
import type { Edge } from '../db/plan.ts';
import type { BrowserIds } from './browser-owner.ts';

/** Throws `too_many_browsers` when the node has no room for one more. */
export async function requireRoom(
  edge: Pick<Edge, 'db' | 'now'>,
  { controller_id, client_id }: BrowserIds,
): Promise<void> {
  const [row] = await edge.db.all<{ room: number }>(sql`SELECT ${hasRoom(controller_id, edge.now)} AS room`);
  if (row?.room === 1) return;
  const days = BROWSERS.counted_ms / 86_400_000;
  throw new AppError(
    'too_many_browsers',
    `the node ${controller_id} has ${BROWSERS.max_per_node} browsers that were heard of within ${days} days, the most that a ` +
      `node may have, so ${client_id} is not taken; look at GET /v1/browser for browsers that you do not know: if there ` +
      'are any, rotate the token of the node',
    { details: { field: 'client_id', max: BROWSERS.max_per_node } },
  );
}

/** The node must still have room for one more. */
export function guardRoom({ db, now }: Pick<Edge, 'db' | 'now'>, { controller_id }: BrowserIds): Statement {
  return guardThat(db, hasRoom(controller_id, now));
}

/** Reads the browsers of that node only. */
function hasRoom(nodeId: string, now: number): SQL {
  return sql`((SELECT count(*) FROM (SELECT 1 FROM clients WHERE controller_id = ${nodeId}
    AND updated_at > ${now - BROWSERS.counted_ms} LIMIT ${BROWSERS.max_per_node})) < ${BROWSERS.max_per_node})`;
}

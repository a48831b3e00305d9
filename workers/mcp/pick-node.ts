/** Which node runs a call: the one that the caller names, or the only one that can be reached. */
import { eq } from 'drizzle-orm';
import { HTTP } from '../../schema/defaults.ts';
import { AppError } from '../../schema/errors.ts';
import { fence, nodes } from '../../schema/tables/index.ts';
import type { Edge } from '../db/plan.ts';
import type { Reach } from '../nodes/presence.ts';
import { reachOf } from '../nodes/presence.ts';

/**
 * `named` is the id or the host of a node. Without it the only connected node is taken, and of several the leader where
 * `anyNode` says that each of them would do. Throws `controller_not_found`, `node_unreachable`, and `invalid_request` when
 * the caller has to choose.
 */
export async function pickNode(edge: Edge, named: string | undefined, anyNode: boolean): Promise<string> {
  const known = await edge.db
    .select({ controller_id: nodes.controller_id, host: nodes.host })
    .from(nodes)
    .orderBy(nodes.controller_id)
    .limit(HTTP.list_limit_max);
  const reach = await reachOf(edge.env, known);
  const idsOf = (...reaches: Reach[]) =>
    known.map((node) => node.controller_id).filter((id) => reaches.includes(reach(id)));
  if (named !== undefined) return requireNamed(named, known, idsOf('connected', 'in_contact'));
  // One that polls counts only where none has a channel: it may be one that has just ended.
  const connected = idsOf('connected');
  const ids = connected.length > 0 ? connected : idsOf('in_contact');
  const [only, ...others] = ids;
  if (only === undefined) {
    throw new AppError('node_unreachable', 'no node is connected; start the agent of one, then call again');
  }
  if (others.length === 0) return only;
  const leader = anyNode ? await leaderOf(edge) : null;
  if (leader !== null && ids.includes(leader)) return leader;
  if (anyNode) return only;
  const expected = `one of ${ids.join(', ')}, as more than one node is connected`;
  throw new AppError('invalid_request', `node: ${expected}`, { details: { in: 'arguments', field: 'node', expected } });
}

function requireNamed(
  named: string,
  known: readonly { controller_id: string; host: string }[],
  reachable: readonly string[],
): string {
  const byId = known.filter((node) => node.controller_id === named);
  const [node, ...others] = byId.length > 0 ? byId : known.filter(({ host }) => host === named);
  if (node === undefined) throw new AppError('controller_not_found', `node: there is no node ${named}`);
  if (others.length > 0) {
    const expected = `the id of one node; the host ${named} has ${others.length + 1}`;
    throw new AppError('invalid_request', `node: ${expected}`, {
      details: { in: 'arguments', field: 'node', expected },
    });
  }
  if (reachable.includes(node.controller_id)) return node.controller_id;
  throw new AppError('node_unreachable', `${node.controller_id} is not connected; nothing has been done`);
}

async function leaderOf({ db }: Edge): Promise<string | null> {
  const row = await db.select({ holder_id: fence.holder_id }).from(fence).where(eq(fence.id, 1)).get();
  return row?.holder_id ?? null;
}

/** Nodes as people see them: the row, whether it is in contact, and the browsers it holds. */
import { sql } from 'drizzle-orm';
import { allHubs } from '../../durable-objects/stubs.ts';
import type { Client } from '../../schema/contracts/clients.ts';
import type { Node, NodeView, Presence } from '../../schema/contracts/nodes.ts';
import { clients } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';

/** More browsers than any page of nodes has; a bound, not a limit to meet. */
const MAX_CLIENTS = 1_000;
const NEVER: Presence = { connected: false, contact_age_ms: null };

/** Presence of these nodes. One call per hub, however many nodes. */
export async function presenceOf(env: Env, controllerIds: string[]): Promise<(nodeId: string) => Presence> {
  if (controllerIds.length === 0) return () => NEVER;
  const answers = await Promise.all(allHubs(env).map((hub) => hub.presence(controllerIds)));
  return (nodeId) =>
    answers
      .flatMap((response) => response[nodeId] ?? [])
      .reduce(
        (best, next) => (next.connected || (next.contact_age_ms !== null && !best.connected) ? next : best),
        NEVER,
      );
}

/** Adds presence and clients to node rows. */
export async function viewNodes(env: Env, db: Database, rows: readonly Node[]): Promise<NodeView[]> {
  const ids = rows.map((row) => row.controller_id);
  const [presence, held] = await Promise.all([presenceOf(env, ids), clientsOf(db, ids)]);
  return rows.map((row) => ({
    ...row,
    presence: presence(row.controller_id),
    clients: held.filter((client) => client.controller_id === row.controller_id),
  }));
}

async function clientsOf(db: Database, controllerIds: readonly string[]): Promise<Client[]> {
  if (controllerIds.length === 0) return [];
  return db
    .select()
    .from(clients)
    .where(sql`${clients.controller_id} IN (SELECT value FROM json_each(${JSON.stringify(controllerIds)}))`)
    .limit(MAX_CLIENTS);
}

/** A node without a socket asks every few seconds, after failures every half minute: longer silent, it is away. */
const IN_CONTACT_MS = 60_000;

/** `in_contact`: it has no live socket, and finds its commands when it asks for them. */
export type Reach = 'connected' | 'in_contact' | 'away';

/** How the nodes behind those links can be reached now. */
export async function reachOf(
  env: Env,
  links: readonly { controller_id: string }[],
): Promise<(nodeId: string) => Reach> {
  const presence = await presenceOf(env, [...new Set(links.map((link) => link.controller_id))]);
  return (nodeId) => {
    const { connected, contact_age_ms } = presence(nodeId);
    if (connected) return 'connected';
    return contact_age_ms !== null && contact_age_ms <= IN_CONTACT_MS ? 'in_contact' : 'away';
  };
}

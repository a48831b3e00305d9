/** Nodes as people see them: the row, whether it is in contact, and the browsers it holds. */
import { sql } from 'drizzle-orm';
import { allHubs } from '../../durable-objects/stubs.ts';
import type { Client } from '../../schema/contracts/clients.ts';
import type { Node, NodeView, Presence } from '../../schema/contracts/controllers.ts';
import { clients } from '../../schema/tables/index.ts';
import type { Database } from '../db.ts';

/** More browsers than any page of nodes has; a bound, not a limit to meet. */
const MAX_CLIENTS = 1_000;
const NEVER: Presence = { connected: false, contact_age_ms: null };

/** Presence of these nodes. One call per hub, however many nodes. */
export async function presenceOf(env: Env, controllerIds: string[]): Promise<(controllerId: string) => Presence> {
  if (controllerIds.length === 0) return () => NEVER;
  const answers = await Promise.all(allHubs(env).map((hub) => hub.presence(controllerIds)));
  return (controllerId) =>
    answers
      .flatMap((answer) => answer[controllerId] ?? [])
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

/** Of the nodes behind those links, those with a live socket. */
export async function connectedNodes(env: Env, links: readonly { controller_id: string }[]): Promise<Set<string>> {
  const ids = [...new Set(links.map((link) => link.controller_id))];
  const presence = await presenceOf(env, ids);
  return new Set(ids.filter((id) => presence(id).connected));
}

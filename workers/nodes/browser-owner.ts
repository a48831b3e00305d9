/**
 * Which node a browser belongs to: the node that first brought it, until it is moved (renewal/browser-changes.ts). What
 * another node reports of that browser is refused, so a node's token gives nothing of the browsers of other nodes.
 */
import { eq, sql } from 'drizzle-orm';
import { AppError } from '../../schema/errors.ts';
import { clients } from '../../schema/tables/index.ts';
import { guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';

export interface BrowserIds {
  controller_id: string;
  client_id: string;
}

/** The select for a batch: the browser with its node, or no row for one that no node has brought. */
export function selectOwner(db: Database, clientId: string) {
  return db
    .select({ client_id: clients.client_id, controller_id: clients.controller_id })
    .from(clients)
    .where(eq(clients.client_id, clientId));
}

/** Throws `client_of_other_node` when another node has the browser; undefined is a browser that no node has brought. */
export function requireOwnBrowser(nodeId: string, browser: BrowserIds | undefined): void {
  if (browser === undefined || browser.controller_id === nodeId) return;
  const { client_id, controller_id } = browser;
  throw new AppError(
    'client_of_other_node',
    `the browser ${client_id} belongs to the node ${controller_id}; to move it here, pair it with this node, ` +
      `or have an operator call POST /v1/browser/clients/${client_id}/move`,
    { details: { field: 'client_id' } },
  );
}

/** The browser must still be that node's, or that of none. */
export function guardOwnBrowser(db: Database, { client_id, controller_id }: BrowserIds): Statement {
  return guardThat(
    db,
    sql`NOT EXISTS (SELECT 1 FROM clients WHERE client_id = ${client_id} AND controller_id <> ${controller_id})`,
  );
}

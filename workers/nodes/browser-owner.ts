/**
 * Which node a browser belongs to: the node that first brought it, until it is moved (renewal/browser-changes.ts). What
 * another node reports of that browser is refused, so a node's token gives nothing of the browsers of other nodes.
 */
import { sql } from 'drizzle-orm';
import type { Client } from '../../schema/contracts/clients.ts';
import { AppError } from '../../schema/errors.ts';
import { guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';

export interface BrowserIds {
  controller_id: string;
  client_id: string;
}

/** Throws `client_of_other_node` when another node has the browser; undefined is a browser that no node has brought. */
export function requireOwnBrowser(
  nodeId: string,
  browser: Pick<Client, 'client_id' | 'controller_id'> | undefined,
): void {
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

/** Browsers as stored: one by its id, the connected ones with a platform, and the page of all that people see. */
import type { SQL } from 'drizzle-orm';
import { and, desc, eq, sql } from 'drizzle-orm';
import type { z } from 'zod';
import type { BrowserQuerySchema, BrowserResponseSchema } from '../../schema/contracts/browser.ts';
import type { Client } from '../../schema/contracts/clients.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { DELIVERY } from '../../schema/defaults.ts';
import { clients } from '../../schema/tables/index.ts';
import { equals } from '../db/filters.ts';
import type { Database } from '../db/open.ts';
import { marked } from '../db/readable.ts';
import { storedJson } from '../db/stored-json.ts';
import { pageWindow, toPage } from '../http/paging.ts';

const MAX_CONNECTED = 50;
/** More than the nodes of one page have; it bounds the read. */
const MAX_OF_NODES = 1_000;

export async function findBrowser(db: Database, clientId: string): Promise<Client | undefined> {
  return db.select().from(clients).where(eq(clients.client_id, clientId)).get();
}

/** The node that holds that browser while it is connected, or null. */
export async function nodeOfBrowser(db: Database, clientId: string): Promise<string | null> {
  const browser = await findBrowser(db, clientId);
  return browser?.connected === true ? browser.controller_id : null;
}

/** Connected browsers that have the platform, the last reported first. */
export async function connectedBrowsers(db: Database, platform: Platform): Promise<Client[]> {
  return db
    .select()
    .from(clients)
    .where(and(eq(clients.connected, true), hasPlatform(platform, undefined)))
    .orderBy(desc(clients.updated_at))
    .limit(MAX_CONNECTED);
}

export async function browsersOfNodes(db: Database, nodeIds: readonly string[]): Promise<Client[]> {
  if (nodeIds.length === 0) return [];
  return db
    .select()
    .from(clients)
    .where(sql`${clients.controller_id} IN (SELECT value FROM json_each(${JSON.stringify(nodeIds)}))`)
    .limit(MAX_OF_NODES);
}

function hasPlatform(platform: Platform | undefined, login: string | undefined): SQL | undefined {
  if (platform === undefined && login === undefined) return undefined;
  return sql`EXISTS (SELECT 1 FROM json_each(${storedJson(clients.platforms, '[]')}) AS p
    WHERE (${platform ?? null} IS NULL OR p.value->>'platform' = ${platform ?? null})
      AND (${login ?? null} IS NULL OR p.value->>'login' = ${login ?? null}))`;
}

/** A page of browsers, and how fast their nodes deliver into them. */
export async function browserPage(
  db: Database,
  query: z.output<typeof BrowserQuerySchema>,
): Promise<z.input<typeof BrowserResponseSchema>> {
  const window = pageWindow(clients.client_id, query);
  const rows = await db
    .select()
    .from(clients)
    .where(and(hasPlatform(query.platform, query.status), equals(clients.client_id, query.client_id), window.where))
    .orderBy(window.orderBy)
    .limit(window.limit);
  const page = toPage(rows.map(marked), query, (row) => row.client_id);
  const matches = (one: Client['platforms'][number]) =>
    (query.platform === undefined || one.platform === query.platform) &&
    (query.status === undefined || one.login === query.status);
  const browsers = page.items.map((browser) => ({ ...browser, platforms: browser.platforms.filter(matches) }));
  return {
    clients: browsers.map((browser) => ({
      ...browser,
      platforms: browser.platforms.map(({ slots: _slots, ...platform }) => platform),
    })),
    next_cursor: page.next_cursor,
    policy: {
      defaults: { ...DELIVERY, stale_lease: DELIVERY.stale_lease_ms },
      targets: browsers.flatMap(({ client_id, controller_id, platforms }) =>
        platforms.flatMap(({ platform, slots, stopped_reason }) =>
          slots === undefined ? [] : [{ ...slots, client_id, controller_id, platform, stopped_reason }],
        ),
      ),
    },
  };
}

/**
 * Browsers: what each has, and which node's browser can act on a platform now. A node with a live socket comes before
 * one without, which finds its commands when it polls.
 */
import type { SQL } from 'drizzle-orm';
import { and, desc, eq, sql } from 'drizzle-orm';
import type { z } from 'zod';
import type { BrowserQuerySchema, BrowserResponseSchema } from '../../schema/contracts/browser.ts';
import type { Client } from '../../schema/contracts/clients.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { DELIVERY } from '../../schema/defaults.ts';
import { AppError } from '../../schema/errors.ts';
import { clients } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import { pageWindow, toPage } from '../http/paging.ts';
import { presenceOf } from './presence.ts';

/** More browsers of one platform than are looked at for one that can act. */
const MAX_CANDIDATES = 50;

/** The node that holds that browser while it is connected, or null. */
export async function nodeOfClient(db: Database, clientId: string): Promise<string | null> {
  const row = await db.select().from(clients).where(eq(clients.client_id, clientId)).get();
  if (row === undefined || !row.connected) return null;
  return row.controller_id;
}

/** The node whose browser acts on that platform. Throws `no_active_client`, and `no_credentials` when none is signed in. */
export async function nodeForPlatform(env: Env, db: Database, platform: Platform): Promise<string> {
  const found = await db
    .select()
    .from(clients)
    .where(and(eq(clients.connected, true), hasPlatform(platform, undefined)))
    .orderBy(desc(clients.updated_at))
    .limit(MAX_CANDIDATES);
  if (found.length === 0) throw new AppError('no_active_client', `no browser with ${platform} is connected`);
  const able = found.filter((client) => canAct(client, platform));
  if (able.length === 0) {
    throw new AppError(
      'no_credentials',
      `no connected browser is signed in to ${platform}, or all of them are stopped`,
    );
  }
  const presence = await presenceOf(env, [...new Set(able.map((client) => client.controller_id))]);
  const [first] = [...able.filter((client) => presence(client.controller_id).connected), ...able];
  if (first === undefined) throw new Error('there is at least one');
  return first.controller_id;
}

function canAct(client: Client, platform: Platform): boolean {
  return client.platforms.some(
    (one) => one.platform === platform && one.login !== 'lost' && one.stopped_reason === null,
  );
}

function hasPlatform(platform: Platform | undefined, login: string | undefined): SQL | undefined {
  if (platform === undefined && login === undefined) return undefined;
  return sql`EXISTS (SELECT 1 FROM json_each(${clients.platforms}) AS p
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
    .where(and(hasPlatform(query.platform, query.status), window.where))
    .orderBy(window.orderBy)
    .limit(window.limit);
  const { items, next_cursor } = toPage(rows, query, (row) => row.client_id);
  const wanted = (one: Client['platforms'][number]) =>
    (query.platform === undefined || one.platform === query.platform) &&
    (query.status === undefined || one.login === query.status);
  const shown = items.map((client) => ({ ...client, platforms: client.platforms.filter(wanted) }));
  return {
    clients: shown.map((client) => ({
      ...client,
      platforms: client.platforms.map(({ slots: _slots, ...platform }) => platform),
    })),
    next_cursor,
    policy: {
      defaults: { ...DELIVERY, stale_lease: DELIVERY.stale_lease_ms },
      targets: shown.flatMap(({ client_id, controller_id, platforms }) =>
        platforms.flatMap(({ platform, slots, stopped_reason }) =>
          slots === undefined ? [] : [{ ...slots, client_id, controller_id, platform, stopped_reason }],
        ),
      ),
    },
  };
}

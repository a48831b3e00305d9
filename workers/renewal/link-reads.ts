/** The active links of conversations, as a JSON column for statements that read them beside other things, and as pages. */
import type { SQL } from 'drizzle-orm';
import { and, sql } from 'drizzle-orm';
import type { Platform } from '../../schema/contracts/common.ts';
import type { Link } from '../../schema/contracts/conversations.ts';
import { LinkSchema } from '../../schema/contracts/conversations.ts';
import type { BrowserPlatform } from '../../schema/domain/client-stops.ts';
import { conversation_links } from '../../schema/tables/index.ts';
import { equals } from '../db/filters.ts';
import type { Database } from '../db/open.ts';
import { storedJson } from '../db/stored-json.ts';
import type { Page, PageRequest } from '../http/paging.ts';
import { pageWindow, SCAN_MAX, toPage } from '../http/paging.ts';
import { isOfFirstAccount } from './first-account.ts';

/** A link with what decides whether a renewal can be delivered by it. */
export interface RenewalLink extends Link {
  /** The account that was signed in when the link was made. */
  fingerprint: string | null;
  /** When a delivery by it last failed; null once the browser has reported the tab again. */
  failed_at: number | null;
  /** What its browser last reported of that platform; null for a browser that has reported nothing. */
  client: (BrowserPlatform & { connected: boolean }) | null;
}

/** Links of one conversation that are read at most, the newest: one per browser that has had it open. */
const MAX_LINKS = 50;

const JSON_COLUMNS = ['route_params', 'target_payload'];
const linkPairs = Object.keys(LinkSchema.shape)
  .map((name) => (JSON_COLUMNS.includes(name) ? `'${name}', json(l.${name})` : `'${name}', l.${name}`))
  .join(', ');

/** The active links of a conversation's first account as a JSON array (SQL expression), for `parseLinks`. */
export function linksJson(localConversationId: SQL): SQL {
  return sql`(SELECT json_group_array(json_object(${sql.raw(linkPairs)}, 'fingerprint', l.fingerprint,
      'failed_at', l.failed_at, 'client', json((SELECT json_object('connected', k.connected, 'stopped_reason', p.value->>'stopped_reason',
          'fingerprint', p.value->>'fingerprint', 'accounts', p.value->'accounts')
        FROM clients AS k LEFT JOIN json_each(${storedJson(sql`k.platforms`, '[]')}) AS p ON p.value->>'platform' = l.platform
        WHERE k.client_id = l.client_id LIMIT 1))))
    FROM (SELECT * FROM conversation_links AS l WHERE local_conversation_id = ${localConversationId} AND is_active = 1
        AND json_valid(target_payload) AND json_valid(route_params) AND ${isOfFirstAccount('active')}
      ORDER BY observed_at DESC LIMIT ${MAX_LINKS}) AS l)`;
}

/** The links of such an array, newest first. */
export function parseLinks(json: string): RenewalLink[] {
  const rows = JSON.parse(json) as (RenewalLink & { is_active: number | boolean })[];
  return rows
    .map((link) => ({
      ...link,
      is_active: Boolean(link.is_active),
      client: link.client === null ? null : { ...link.client, connected: Boolean(link.client.connected) },
    }))
    .sort((a, b) => b.observed_at - a.observed_at);
}

/** The active links of that conversation, newest first. */
export async function linksOf(db: Database, localConversationId: string): Promise<RenewalLink[]> {
  const [row] = await db.all<{ links: string }>(sql`SELECT ${linksJson(sql`${localConversationId}`)} AS links`);
  return parseLinks(row?.links ?? '[]');
}

/** The nodes whose browsers have one of these conversations open, each with those conversations. */
export async function nodesOf(
  db: Database,
  localConversationIds: readonly string[],
): Promise<{ controller_id: string; ids: string[] }[]> {
  if (localConversationIds.length === 0) return [];
  const rows = await db.all<{ controller_id: string; ids: string }>(sql`SELECT controller_id,
      json_group_array(DISTINCT local_conversation_id) AS ids
    FROM conversation_links WHERE is_active = 1
      AND local_conversation_id IN (SELECT value FROM json_each(${JSON.stringify(localConversationIds)}))
    GROUP BY controller_id`);
  return rows.map(({ controller_id, ids }) => ({ controller_id, ids: JSON.parse(ids) }));
}

export type LinkFilter = Partial<{
  platform: Platform | undefined;
  local_conversation_id: string | undefined;
  remote_conversation_id: string | undefined;
  client_id: string | undefined;
}>;

/** Its tabs, then the newest others: a browser has had any number of conversations open. */
function isOfBrowser(clientId: string | undefined): SQL | undefined {
  if (clientId === undefined) return undefined;
  return sql`${conversation_links.link_id} IN (SELECT link_id FROM conversation_links WHERE client_id = ${clientId}
    ORDER BY is_active DESC, rowid DESC LIMIT ${SCAN_MAX})`;
}

/** The last created first. */
export async function listLinks(db: Database, query: PageRequest & LinkFilter): Promise<Page<Link>> {
  const window = pageWindow(conversation_links.link_id, query);
  const rows = await db
    .select()
    .from(conversation_links)
    .where(
      and(
        equals(conversation_links.platform, query.platform),
        equals(conversation_links.local_conversation_id, query.local_conversation_id),
        equals(conversation_links.remote_conversation_id, query.remote_conversation_id),
        isOfBrowser(query.client_id),
        window.where,
      ),
    )
    .orderBy(window.orderBy)
    .limit(window.limit);
  const { items, next_cursor } = toPage(rows, query, (row) => row.link_id);
  return { items: items.map((row) => LinkSchema.parse(row)), next_cursor };
}

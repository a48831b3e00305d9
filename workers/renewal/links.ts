/**
 * Conversations and links from what browsers see. Observations are upserted in bulk: a conversation seen for the first
 * time is `manual`; of one client's observations of a conversation the newest stays, whatever order they arrive in.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import type { Platform } from '../../schema/contracts/common.ts';
import type { LinkObservation } from '../../schema/contracts/conversations.ts';
import { newConversation } from '../../schema/domain/conversation.ts';
import { observedLink } from '../../schema/domain/links.ts';
import { newId } from '../../schema/ids.ts';
import { local_conversations } from '../../schema/tables/index.ts';
import { insertRows } from '../db/bulk.ts';
import type { Database, Statement } from '../db/open.ts';
import { redriveWhenLinked } from './jobs.ts';
import { projectAgainWhenLinked } from './projection-marks.ts';

export interface ClientObservations {
  controller_id: string;
  client_id: string;
  tabs: readonly (LinkObservation & { platform: Platform })[];
}

const LINK_COLUMNS = [
  'platform',
  'remote_conversation_id',
  'page_url',
  'page_title',
  'route_path',
  'route_pattern',
  'route_params',
  'target_kind',
  'target_id',
  'target_payload',
  'observed_at',
] as const;

const columns = sql.raw(LINK_COLUMNS.join(', '));
const fromJson = sql.raw(LINK_COLUMNS.map((name) => `seen.value->>'${name}'`).join(', '));
const fromExcluded = sql.raw(LINK_COLUMNS.map((name) => `${name} = excluded.${name}`).join(', '));

/** The account that this browser says is signed in where it saw `seen`; a link keeps the one that it was made with. */
function fingerprint(clientId: string): SQL {
  return sql`(SELECT p.value->>'fingerprint' FROM clients AS k, json_each(k.platforms) AS p
    WHERE k.client_id = ${clientId} AND p.value->>'platform' = seen.value->>'platform')`;
}

/**
 * The statements that store what a client's tabs show, for the batch of the caller. Conversations whose newest message
 * waited only for a link are looked at again by the projector, and a job that failed for want of one is redriven once.
 */
export function observeLinks(db: Database, seen: ClientObservations, now: number): Statement[] {
  const rows = seen.tabs.flatMap((tab) => {
    const link = observedLink(tab.platform, seen.client_id, tab, now);
    return link === null ? [] : [{ ...link, link_id: newId('link', now) }];
  });
  if (rows.length === 0) return [];
  const json = JSON.stringify(rows);
  const conversations = rows.map(({ platform, remote_conversation_id, page_title: title }) =>
    newConversation(
      { local_conversation_id: newId('conversation', now), platform, remote_conversation_id, title },
      now,
    ),
  );
  return [
    ...insertRows(
      db,
      local_conversations,
      conversations,
      sql`ON CONFLICT (platform, remote_conversation_id) DO NOTHING`,
    ),
    db.run(sql`INSERT INTO conversation_links (link_id, local_conversation_id, client_id, controller_id, is_active,
        created_at, updated_at, fingerprint, ${columns})
      SELECT seen.value->>'link_id', c.local_conversation_id, ${seen.client_id}, ${seen.controller_id}, 1,
        ${now}, ${now}, ${fingerprint(seen.client_id)}, ${fromJson}
      FROM json_each(${json}) AS seen CROSS JOIN local_conversations AS c
      WHERE c.platform = seen.value->>'platform' AND c.remote_conversation_id = seen.value->>'remote_conversation_id'
      ON CONFLICT (local_conversation_id, client_id) WHERE is_active = 1
      DO UPDATE SET controller_id = excluded.controller_id, updated_at = excluded.updated_at,
        fingerprint = coalesce(conversation_links.fingerprint, excluded.fingerprint), ${fromExcluded}
      WHERE excluded.observed_at > conversation_links.observed_at`),
    projectAgainWhenLinked(db, json, now),
    redriveWhenLinked(db, json, now),
  ];
}

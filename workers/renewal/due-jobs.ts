/** Due jobs, oldest first, each with its conversation and every link by which that can be reached now. */
import { sql } from 'drizzle-orm';
import type { Platform } from '../../schema/contracts/common.ts';
import type { AutomationStatus, Link } from '../../schema/contracts/conversations.ts';
import type { RenewalSettings } from '../../schema/contracts/renewal-settings.ts';
import type { BrowserPlatform } from '../../schema/domain/client-stops.ts';
import type { RenewalCounters } from '../../schema/domain/renewal-limits.ts';
import type { JobRow } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import { counterPairs } from './counters.ts';
import { settingsLayers, settingsOf } from './settings.ts';

export interface DueLink
  extends Omit<Link, 'local_conversation_id' | 'platform' | 'remote_conversation_id' | 'is_active'> {
  fingerprint: string | null;
  /** What its browser has told of that platform. */
  client: (BrowserPlatform & { connected: boolean }) | null;
}

type DueConversation = RenewalCounters & {
  platform: Platform;
  automation_status: AutomationStatus;
  last_message_id: string | null;
  settings: RenewalSettings;
};

export interface DueJob {
  job: JobRow;
  conversation: DueConversation | null;
  assistant_message_id: string | null;
  /** Of its message. */
  text_hash: string | null;
  /** Newest first. */
  links: DueLink[];
}

type Raw = Omit<JobRow, 'target_snapshot'> & {
  target_snapshot: string | null;
  assistant_message_id: string | null;
  text_hash: string | null;
  conversation: string | null;
  settings: string;
  links: string;
};

const PLAIN = [
  'link_id',
  'client_id',
  'controller_id',
  'page_url',
  'page_title',
  'route_path',
  'route_pattern',
  'target_kind',
  'target_id',
  'observed_at',
  'fingerprint',
];
/** One row of `conversation_links AS l` as an object, with what its client says of the platform. */
const linkObject = sql`json_object(${sql.raw(PLAIN.map((name) => `'${name}', l.${name}`).join(', '))},
  'route_params', json(l.route_params), 'target_payload', json(l.target_payload),
  'client', json((SELECT json_object('connected', k.connected, 'stopped_reason', p.value->>'stopped_reason',
      'fingerprint', p.value->>'fingerprint')
    FROM clients AS k LEFT JOIN json_each(k.platforms) AS p ON p.value->>'platform' = l.platform
    WHERE k.client_id = l.client_id LIMIT 1)))`;

/** At most `limit` of them. Rows read: the due jobs by their partial index, and a few by key for each. */
export async function dueJobs(db: Database, now: number, limit: number): Promise<DueJob[]> {
  const rows = await db.all<Raw>(sql`SELECT j.*, m.assistant_message_id, m.text_hash,
      CASE WHEN c.local_conversation_id IS NULL THEN NULL ELSE json_object('platform', c.platform,
        'automation_status', c.automation_status, 'last_message_id', c.last_message_id, ${counterPairs}) END
        AS conversation,
      ${settingsLayers(sql`c.platform`, sql`c.local_conversation_id`)} AS settings,
      (SELECT json_group_array(${linkObject}) FROM conversation_links AS l
        WHERE l.local_conversation_id = j.local_conversation_id AND l.is_active = 1) AS links
    FROM (SELECT * FROM renewal_jobs WHERE status = 'pending' AND next_attempt_at <= ${now}
      ORDER BY next_attempt_at LIMIT ${limit}) AS j
    LEFT JOIN local_conversations AS c ON c.local_conversation_id = j.local_conversation_id
    LEFT JOIN messages AS m ON m.message_id = j.message_id
    ORDER BY j.next_attempt_at, j.job_id`);
  return rows.map(({ conversation, settings, assistant_message_id, text_hash, links, ...job }) => ({
    job: { ...job, target_snapshot: job.target_snapshot === null ? null : JSON.parse(job.target_snapshot) },
    conversation: conversation === null ? null : { ...JSON.parse(conversation), settings: settingsOf(settings) },
    assistant_message_id,
    text_hash,
    links: sorted(JSON.parse(links)),
  }));
}

/** Every active link of that conversation, as the dispatcher would choose among them. */
export async function linksOf(db: Database, localConversationId: string): Promise<DueLink[]> {
  const [row] = await db.all<{ links: string }>(sql`SELECT json_group_array(${linkObject}) AS links
    FROM conversation_links AS l WHERE l.local_conversation_id = ${localConversationId} AND l.is_active = 1`);
  return sorted(JSON.parse(row?.links ?? '[]'));
}

function sorted(links: (Omit<DueLink, 'client'> & { client: null | Record<string, unknown> })[]): DueLink[] {
  return (links as DueLink[])
    .map((link) => ({
      ...link,
      client: link.client === null ? null : { ...link.client, connected: Boolean(link.client.connected) },
    }))
    .sort((a, b) => b.observed_at - a.observed_at);
}

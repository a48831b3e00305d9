/** Due jobs, oldest first, each with its conversation and the links by which that can be reached. */
import { sql } from 'drizzle-orm';
import type { Platform } from '../../schema/contracts/common.ts';
import type { RenewalSettings } from '../../schema/contracts/renewal-settings.ts';
import type { ConversationState } from '../../schema/domain/conversation.ts';
import type { JobRow } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import type { RenewalLink } from './link-reads.ts';
import { linksJson, parseLinks } from './link-reads.ts';
import { settingsLayers, settingsOf } from './settings.ts';
import { statePairs } from './state-columns.ts';

export interface DueConversation extends ConversationState {
  local_conversation_id: string;
  platform: Platform;
  last_message_id: string | null;
  /** The question of a person that waits for its answer; null when none does. */
  open_ask: string | null;
  settings: RenewalSettings;
}

export interface DueJob {
  job: Omit<JobRow, 'attempts'>;
  /** Null when the conversation is gone. */
  conversation: DueConversation | null;
  /** Of the job's message. */
  assistant_message_id: string | null;
  text_hash: string | null;
  /** Newest first. */
  links: RenewalLink[];
}

type Raw = Omit<JobRow, 'target_snapshot' | 'attempts'> & {
  target_snapshot: string | null;
  assistant_message_id: string | null;
  text_hash: string | null;
  conversation: string | null;
  settings: string;
  links: string;
};

/** At most `limit` of them. Rows read: the due jobs by their partial index, and a few by key for each. */
export async function dueJobs(db: Database, now: number, limit: number): Promise<DueJob[]> {
  const rows = await db.all<Raw>(sql`SELECT j.*, m.assistant_message_id, m.text_hash,
      CASE WHEN c.local_conversation_id IS NULL THEN NULL ELSE json_object(
        'local_conversation_id', c.local_conversation_id, 'platform', c.platform,
        'last_message_id', c.last_message_id, 'open_ask', c.open_ask, ${statePairs}) END AS conversation,
      ${settingsLayers(sql`c.platform`, sql`c.local_conversation_id`)} AS settings,
      ${linksJson(sql`j.local_conversation_id`)} AS links
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
    links: parseLinks(links),
  }));
}

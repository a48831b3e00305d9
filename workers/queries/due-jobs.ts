/** Due jobs, oldest first, each with its conversation and every link by which that can be reached now. */
import { sql } from 'drizzle-orm';
import type { Platform } from '../../schema/contracts/common.ts';
import type { AutomationStatus, TargetPayload } from '../../schema/contracts/conversations.ts';
import type { Database } from '../db.ts';
import type { JobRow } from './renewal-jobs.ts';

export interface DueLink {
  link_id: string;
  client_id: string;
  controller_id: string;
  page_url: string;
  page_title: string | null;
  route_path: string;
  route_pattern: string | null;
  route_params: Record<string, string>;
  target_kind: string;
  target_id: string;
  target_payload: TargetPayload;
  observed_at: number;
}

export interface DueJob {
  job: JobRow;
  conversation: { platform: Platform; automation_status: AutomationStatus; last_message_id: string | null } | null;
  assistant_message_id: string | null;
  /** Newest first. */
  links: DueLink[];
}

interface Raw extends Omit<JobRow, 'target_snapshot'> {
  target_snapshot: string | null;
  platform: Platform | null;
  automation_status: AutomationStatus | null;
  last_message_id: string | null;
  assistant_message_id: string | null;
  links: string;
}

/** At most `limit` of them. Rows read: the due jobs by their partial index, and a few by key for each. */
export async function dueJobs(db: Database, now: number, limit: number): Promise<DueJob[]> {
  const rows = await db.all<Raw>(sql`SELECT j.*, c.platform, c.automation_status, c.last_message_id,
      m.assistant_message_id,
      (SELECT json_group_array(json_object('link_id', l.link_id, 'client_id', l.client_id,
          'controller_id', l.controller_id, 'page_url', l.page_url, 'page_title', l.page_title,
          'route_path', l.route_path, 'route_pattern', l.route_pattern, 'route_params', json(l.route_params),
          'target_kind', l.target_kind, 'target_id', l.target_id, 'target_payload', json(l.target_payload),
          'observed_at', l.observed_at))
        FROM conversation_links AS l
        WHERE l.local_conversation_id = j.local_conversation_id AND l.is_active = 1) AS links
    FROM (SELECT * FROM renewal_jobs WHERE status = 'pending' AND next_attempt_at <= ${now}
      ORDER BY next_attempt_at LIMIT ${limit}) AS j
    LEFT JOIN local_conversations AS c ON c.local_conversation_id = j.local_conversation_id
    LEFT JOIN messages AS m ON m.message_id = j.message_id
    ORDER BY j.next_attempt_at, j.job_id`);
  return rows.map(({ platform, automation_status, last_message_id, assistant_message_id, links, ...job }) => ({
    job: { ...job, target_snapshot: job.target_snapshot === null ? null : JSON.parse(job.target_snapshot) },
    conversation:
      platform === null || automation_status === null ? null : { platform, automation_status, last_message_id },
    assistant_message_id,
    links: (JSON.parse(links) as DueLink[]).sort((a, b) => b.observed_at - a.observed_at),
  }));
}

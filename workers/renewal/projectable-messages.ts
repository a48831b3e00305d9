/** Messages before the projector, each with all that the decision about it needs, in one batch. */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import type { AutomationStatus, TargetPayload } from '../../schema/contracts/conversations.ts';
import type { RenewalSettings } from '../../schema/contracts/renewal-settings.ts';
import type { RenewalCounters } from '../../schema/domain/renewal-limits.ts';
import type { Database } from '../db/open.ts';
import { instructionPending } from '../db/owes-reply.ts';
import { counterColumns } from './counters.ts';
import { PROJECTOR } from './projection-marks.ts';
import { settingsLayers, settingsOf } from './settings.ts';

export interface Candidate extends RenewalCounters {
  ingest_seq: number;
  message_id: string;
  local_conversation_id: string;
  role: string;
  /** The beginning of the text: more than a summary takes. */
  raw_text: string;
  received_at: number;
  automation_status: AutomationStatus;
  last_message_id: string | null;
  title: string | null;
  settings: RenewalSettings;
  has_job: boolean;
  instruction_pending: boolean;
  link: { page_url: string; target_kind: string; target_id: string; target_payload: TargetPayload } | null;
}

const cursor = sql`(SELECT coalesce(max(position), 0) FROM runner_cursors WHERE runner = ${PROJECTOR})`;

function select(from: SQL, limit: number): SQL {
  return sql`SELECT m.ingest_seq, m.message_id, m.local_conversation_id, m.role, substr(m.raw_text, 1, 4000) AS raw_text,
      m.received_at, c.automation_status, c.last_message_id, c.title,
      ${counterColumns}, ${settingsLayers(sql`c.platform`, sql`c.local_conversation_id`)} AS settings,
      EXISTS (SELECT 1 FROM renewal_jobs AS j WHERE j.message_id = m.message_id) AS has_job,
      ${instructionPending('m')} AS instruction_pending,
      (SELECT json_object('page_url', l.page_url, 'target_kind', l.target_kind, 'target_id', l.target_id,
          'target_payload', json(l.target_payload)) FROM conversation_links AS l
        WHERE l.local_conversation_id = m.local_conversation_id AND l.is_active = 1
        ORDER BY l.observed_at DESC LIMIT 1) AS link
    FROM ${from} LIMIT ${limit}`;
}

type Raw = Omit<Candidate, 'has_job' | 'instruction_pending' | 'link' | 'settings'> & {
  settings: string;
  has_job: number;
  instruction_pending: number;
  link: string | null;
};

/** The cursor, the messages behind it in order, and the newest messages of marked conversations. */
export async function readCandidates(db: Database, now: number, limit: number) {
  const [at, behind, marked] = await db.batch([
    db.all<{ position: number }>(sql`SELECT ${cursor} AS position`),
    db.all<Raw>(
      select(
        sql`messages AS m CROSS JOIN local_conversations AS c
          WHERE m.ingest_seq > ${cursor} AND c.local_conversation_id = m.local_conversation_id ORDER BY m.ingest_seq`,
        limit,
      ),
    ),
    db.all<Raw>(
      select(
        sql`local_conversations AS c CROSS JOIN messages AS m
          WHERE c.project_at IS NOT NULL AND c.project_at <= ${now} AND m.message_id = c.last_message_id
          ORDER BY c.project_at`,
        limit,
      ),
    ),
  ]);
  return { cursor: at[0]?.position ?? 0, behind: behind.map(toCandidate), marked: marked.map(toCandidate) };
}

function toCandidate(row: Raw): Candidate {
  return {
    ...row,
    settings: settingsOf(row.settings),
    has_job: row.has_job === 1,
    instruction_pending: row.instruction_pending === 1,
    link: row.link === null ? null : JSON.parse(row.link),
  };
}

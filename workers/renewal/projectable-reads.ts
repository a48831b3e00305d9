/** Messages that the projector decides about, each with all facts of its decision, in one batch. */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import type { RenewalSettings } from '../../schema/contracts/renewal-settings.ts';
import type { ConversationState } from '../../schema/domain/conversation.ts';
import type { Database } from '../db/open.ts';
import { instructionPending } from '../db/owes-reply.ts';
import type { RenewalLink } from './link-reads.ts';
import { linksJson, parseLinks } from './link-reads.ts';
import { PROJECTOR } from './projection-marks.ts';
import { settingsLayers, settingsOf } from './settings.ts';
import { stateColumns } from './state-columns.ts';

export interface ProjectableMessage extends ConversationState {
  ingest_seq: number;
  message_id: string;
  local_conversation_id: string;
  role: string;
  /** The beginning of the text: more than a summary takes. */
  raw_text: string;
  received_at: number;
  last_message_id: string | null;
  title: string | null;
  settings: RenewalSettings;
  has_job: boolean;
  instruction_pending: boolean;
  /** Of an `auto` conversation, newest first; none are read for another. */
  links: RenewalLink[];
}

const cursor = sql`(SELECT coalesce(max(position), 0) FROM runner_cursors WHERE runner = ${PROJECTOR})`;

function selectMessages(from: SQL, limit: number): SQL {
  return sql`SELECT m.ingest_seq, m.message_id, m.local_conversation_id, m.role, substr(m.raw_text, 1, 4000) AS raw_text,
      m.received_at, c.last_message_id, c.title,
      ${stateColumns}, ${settingsLayers(sql`c.platform`, sql`c.local_conversation_id`)} AS settings,
      EXISTS (SELECT 1 FROM renewal_jobs AS j WHERE j.message_id = m.message_id) AS has_job,
      ${instructionPending('m')} AS instruction_pending,
      CASE WHEN c.automation_status = 'auto' THEN ${linksJson(sql`m.local_conversation_id`)} ELSE '[]' END AS links
    FROM ${from} LIMIT ${limit}`;
}

type Raw = Omit<ProjectableMessage, 'has_job' | 'instruction_pending' | 'links' | 'settings'> & {
  settings: string;
  has_job: number;
  instruction_pending: number;
  links: string;
};

export interface Projectable {
  cursor: number;
  /** After the cursor, in order. */
  next: ProjectableMessage[];
  /** The newest messages of marked conversations. */
  marked: ProjectableMessage[];
}

/** At most `limit` messages of each kind. */
export async function readProjectable(db: Database, now: number, limit: number): Promise<Projectable> {
  const [at, next, marked] = await db.batch([
    db.all<{ position: number }>(sql`SELECT ${cursor} AS position`),
    db.all<Raw>(
      selectMessages(
        sql`messages AS m CROSS JOIN local_conversations AS c
          WHERE m.ingest_seq > ${cursor} AND c.local_conversation_id = m.local_conversation_id ORDER BY m.ingest_seq`,
        limit,
      ),
    ),
    db.all<Raw>(
      selectMessages(
        sql`local_conversations AS c CROSS JOIN messages AS m
          WHERE c.project_at IS NOT NULL AND c.project_at <= ${now} AND m.message_id = c.last_message_id
          ORDER BY c.project_at`,
        limit,
      ),
    ),
  ]);
  return { cursor: at[0]?.position ?? 0, next: next.map(toMessage), marked: marked.map(toMessage) };
}

function toMessage({ settings, has_job, instruction_pending, links, ...row }: Raw): ProjectableMessage {
  return {
    ...row,
    settings: settingsOf(settings),
    has_job: has_job === 1,
    instruction_pending: instruction_pending === 1,
    links: parseLinks(links),
  };
}

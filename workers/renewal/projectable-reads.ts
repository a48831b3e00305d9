/** Messages that the projector decides about, each with all facts of its decision, in one batch. */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import type { RenewalSettings } from '../../schema/contracts/renewal-settings.ts';
import type { ConversationState } from '../../schema/domain/conversation.ts';
import type { ProjectionWindow, SeenMessage } from '../../schema/domain/projection.ts';
import { projectionWindow } from '../../schema/domain/projection.ts';
import type { Database } from '../db/open.ts';
import { instructionPending } from '../db/owes-reply.ts';
import { taskPending } from '../db/task-sql.ts';
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
  task_pending: boolean;
  /** The question of a person that waits for its answer; null when none does. */
  open_ask: string | null;
  /** Of an `auto` conversation, newest first; none are read for another. */
  links: RenewalLink[];
}

const cursor = sql`(SELECT coalesce(max(position), 0) FROM runner_cursors WHERE runner = ${PROJECTOR})`;

function selectMessages(from: SQL, limit: number): SQL {
  return sql`SELECT m.ingest_seq, m.message_id, m.local_conversation_id, m.role, substr(m.raw_text, 1, 4000) AS raw_text,
      m.received_at, c.last_message_id, c.title, c.open_ask,
      ${stateColumns}, ${settingsLayers(sql`c.platform`, sql`c.local_conversation_id`)} AS settings,
      EXISTS (SELECT 1 FROM renewal_jobs AS j WHERE j.message_id = m.message_id) AS has_job,
      ${instructionPending('m')} AS instruction_pending,
      ${taskPending(sql`m.local_conversation_id`)} AS task_pending,
      CASE WHEN c.automation_status = 'auto' THEN ${linksJson(sql`m.local_conversation_id`)} ELSE '[]' END AS links
    FROM ${from} LIMIT ${limit}`;
}

type Raw = Omit<ProjectableMessage, 'has_job' | 'instruction_pending' | 'task_pending' | 'links' | 'settings'> & {
  settings: string;
  has_job: number;
  instruction_pending: number;
  task_pending: number;
  links: string;
};

export interface Projectable extends ProjectionWindow {
  cursor: number;
  /** Messages of assistants in `auto` conversations up to `last`, in order. */
  next: ProjectableMessage[];
  /** The newest messages of marked conversations. */
  marked: ProjectableMessage[];
}

/**
 * Messages after the cursor that one tick passes at most. Most of them may be of conversations that are not `auto`: of
 * these only what decides that is read, so that they do not hold back a message that is to be renewed.
 */
export const WINDOW = 500;

/** The messages after the cursor that one tick looks at, as an SQL table. */
export const messagesAfterCursor = sql`(SELECT ingest_seq, message_id, local_conversation_id, role, received_at FROM messages
  WHERE ingest_seq > ${cursor} ORDER BY ingest_seq LIMIT ${WINDOW})`;

/** At most `limit` messages of each kind, settled when they were received by `settledBy` (Unix milliseconds). */
export async function readProjectable(
  db: Database,
  { now, settledBy, limit }: { now: number; settledBy: number; limit: number },
): Promise<Projectable> {
  const [at, seen, next, marked] = await db.batch([
    db.all<{ position: number }>(sql`SELECT ${cursor} AS position`),
    db.all<SeenMessage>(sql`SELECT w.ingest_seq, w.message_id, w.local_conversation_id, w.role, w.received_at,
        c.automation_status
      FROM ${messagesAfterCursor} AS w CROSS JOIN local_conversations AS c
      WHERE c.local_conversation_id = w.local_conversation_id ORDER BY w.ingest_seq`),
    db.all<Raw>(
      selectMessages(
        sql`${messagesAfterCursor} AS w CROSS JOIN local_conversations AS c CROSS JOIN messages AS m
          WHERE c.local_conversation_id = w.local_conversation_id AND m.ingest_seq = w.ingest_seq
            AND c.automation_status = 'auto' AND m.role = 'assistant' ORDER BY w.ingest_seq`,
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
  const position = at[0]?.position ?? 0;
  const window = projectionWindow(seen, { cursor: position, settledBy, limit, longest: WINDOW });
  return {
    ...window,
    // Marks are replaced in the order in which they are due, so the rest of them comes next.
    more: window.more || marked.length === limit,
    cursor: position,
    next: next.map(toMessage).filter((message) => message.ingest_seq <= window.last),
    marked: marked.map(toMessage),
  };
}

function toMessage({ settings, has_job, instruction_pending, task_pending, links, ...row }: Raw): ProjectableMessage {
  return {
    ...row,
    settings: settingsOf(settings),
    has_job: has_job === 1,
    instruction_pending: instruction_pending === 1,
    task_pending: task_pending === 1,
    links: parseLinks(links),
  };
}

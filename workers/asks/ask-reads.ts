/** Asks as stored, and what decides whether one may be sent now. */
import type { SQL } from 'drizzle-orm';
import { asc, eq, sql } from 'drizzle-orm';
import type { Ask } from '../../schema/contracts/asks.ts';
import { AskSchema } from '../../schema/contracts/asks.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import type { AutomationStatus } from '../../schema/contracts/conversations.ts';
import type { SystemMode } from '../../schema/contracts/system.ts';
import { AppError } from '../../schema/errors.ts';
import type { AskRow } from '../../schema/tables/index.ts';
import { asks, messages } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import { owesReply } from '../db/owes-reply.ts';
import type { RenewalLink } from '../renewal/link-reads.ts';
import { linksJson, parseLinks } from '../renewal/link-reads.ts';

export async function findAsk(db: Database, operationId: string): Promise<AskRow | undefined> {
  return db.select().from(asks).where(eq(asks.operation_id, operationId)).get();
}

/** Throws `ask_not_found`. */
export async function askView(db: Database, operationId: string): Promise<Ask> {
  const row = await findAsk(db, operationId);
  if (row === undefined) throw new AppError('ask_not_found', `there is no ask ${operationId}`);
  return toAsk(db, row);
}

/** The ask as the API shows it. */
export async function toAsk(db: Database, row: AskRow): Promise<Ask> {
  return AskSchema.parse({ ...row, text: row.message_text, answer: await answerOf(db, row) });
}

async function answerOf(db: Database, { answer_message_id, answer_evidence }: AskRow): Promise<Ask['answer']> {
  if (answer_message_id === null) return null;
  const { message_id, assistant_message_id, raw_text: text, observed_at } = messages;
  const found = await db
    .select({ message_id, assistant_message_id, text, observed_at })
    .from(messages)
    .where(eq(message_id, answer_message_id))
    .get();
  return found === undefined ? null : { ...found, evidence: answer_evidence ?? 'next' };
}

/** What decides whether a message may be sent into a conversation now. */
export interface SendFacts {
  mode: SystemMode;
  platform: Platform;
  automation_status: AutomationStatus;
  /** The operation that has the conversation; null when none does. */
  open_ask: string | null;
  forget_before: number | null;
  /** Its newest message owes a reply, which comes first. */
  owes_reply: boolean;
  /** A renewal is being delivered. */
  renewing: boolean;
  links: RenewalLink[];
}

type RawFacts = Omit<SendFacts, 'owes_reply' | 'renewing' | 'links'> & {
  owes_reply: number;
  renewing: number;
  links: string;
};

const facts = (conversationId: SQL): SQL => sql`f.mode, c.platform, c.automation_status, c.open_ask, c.forget_before,
  coalesce((SELECT ${owesReply('m')} FROM messages AS m WHERE m.message_id = c.last_message_id), 0) AS owes_reply,
  EXISTS (SELECT 1 FROM renewal_jobs AS j WHERE j.local_conversation_id = c.local_conversation_id
    AND j.status = 'running') AS renewing, ${linksJson(conversationId)} AS links`;

function toFacts({ owes_reply, renewing, links, ...rest }: RawFacts): SendFacts {
  return { ...rest, owes_reply: owes_reply === 1, renewing: renewing === 1, links: parseLinks(links) };
}

/** Null when there is no such conversation. */
export async function sendFacts(db: Database, conversationId: string): Promise<SendFacts | null> {
  const [row] = await db.all<RawFacts>(sql`SELECT ${facts(sql`c.local_conversation_id`)}
    FROM local_conversations AS c JOIN fence AS f ON f.id = 1 WHERE c.local_conversation_id = ${conversationId}`);
  return row === undefined ? null : toFacts(row);
}

export interface DueAsk {
  ask: AskRow;
  /** Null when its conversation is gone. */
  facts: SendFacts | null;
  /** Whether its node has received the command under way. */
  isReceived: boolean;
}

/** One statement. */
export async function readDueAsk(db: Database, operationId: string): Promise<DueAsk | null> {
  const [row] = await db.all<AskRow & RawFacts & { is_received: number; known: number }>(sql`SELECT a.*,
      coalesce((SELECT k.received_at IS NOT NULL OR k.status = 'done' FROM commands AS k
        WHERE k.command_id = a.command_id), 0) AS is_received,
      c.local_conversation_id IS NOT NULL AS known, ${facts(sql`a.local_conversation_id`)}
    FROM asks AS a JOIN fence AS f ON f.id = 1
    LEFT JOIN local_conversations AS c ON c.local_conversation_id = a.local_conversation_id
    WHERE a.operation_id = ${operationId}`);
  if (row === undefined) return null;
  const { mode, platform, automation_status, open_ask, forget_before, owes_reply, renewing, links, ...rest } = row;
  const { is_received, known, ...ask } = rest;
  const raw = { mode, platform, automation_status, open_ask, forget_before, owes_reply, renewing, links };
  return { ask, facts: known === 1 ? toFacts(raw) : null, isReceived: is_received === 1 };
}

/** The operations that are due, the longest first. */
export async function dueOperations(db: Database, now: number, limit: number): Promise<string[]> {
  const rows = await db
    .select({ operation_id: asks.operation_id })
    .from(asks)
    .where(sql`due_at IS NOT NULL AND ${asks.due_at} <= ${now}`)
    .orderBy(asc(asks.due_at))
    .limit(limit);
  return rows.map(({ operation_id }) => operation_id);
}

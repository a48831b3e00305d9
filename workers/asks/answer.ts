/** What a message that has come makes of the question that waits in its conversation, or that it names as answered. */
import { sql } from 'drizzle-orm';
import type { IngestBody } from '../../schema/contracts/instructions.ts';
import { matchAnswer, operationOf } from '../../schema/domain/ask.ts';
import type { AskRow, ConversationRow } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { findAsk } from './ask-reads.ts';
import { storeAsk } from './store.ts';

export interface ComeMessage {
  message_id: string;
  is_new: boolean;
  /** How long ago it was observed, in milliseconds. */
  ageMs: number;
}

/** The plan that stores it; an empty one, without a read, where no question is concerned. */
export async function answerAsk(
  edge: Edge,
  conversation: ConversationRow | null,
  body: IngestBody,
  { message_id, is_new, ageMs }: ComeMessage,
): Promise<Plan> {
  const { db, now } = edge;
  const { answers_plan_id, role, capture, raw_text } = body;
  if (conversation === null) return {};
  const named = typeof answers_plan_id === 'string' ? operationOf(answers_plan_id) : null;
  const operationId = named ?? conversation.open_ask;
  if (operationId === null) return {};
  const ask = await findAsk(db, operationId);
  if (ask === undefined || ask.local_conversation_id !== conversation.local_conversation_id) return {};
  // The question itself, as a browser of an earlier version reports it.
  if (role !== 'assistant' && raw_text.trim() === ask.message_text.trim()) return {};
  const seen = {
    message_id,
    role: role === 'assistant' ? ('assistant' as const) : ('other' as const),
    is_new,
    answers_plan_id,
    differs: capture.other === 'differs',
    observed_at: now - ageMs,
    other_sent: named === null && (await isOtherSent(db, ask)),
  };
  return storeAsk(edge, ask, matchAnswer(ask, operationId, seen, now));
}

/** A reply or the report of a task has gone into the conversation since the question left, or may have. */
async function isOtherSent(db: Database, { local_conversation_id, sent_at }: AskRow): Promise<boolean> {
  if (sent_at === null) return false;
  const [row] = await db.all<{ sent: number }>(sql`SELECT EXISTS (SELECT 1 FROM messages
      WHERE ingest_seq IN (SELECT ingest_seq FROM messages WHERE local_conversation_id = ${local_conversation_id}
        ORDER BY ingest_seq DESC LIMIT 20) AND replied_at >= ${sent_at} AND reply_outcome IN ('delivered', 'uncertain'))
    OR EXISTS (SELECT 1 FROM task_notices WHERE local_conversation_id = ${local_conversation_id}
      AND finished_at >= ${sent_at} AND status IN ('delivered', 'uncertain')) AS sent`);
  return row?.sent === 1;
}

/**
 * Stores what a decision made of an ask. The ask must be as it was read; when it is over, the conversation is free again, and
 * its newest message may be renewed.
 */
import { eq, sql } from 'drizzle-orm';
import { timedJobs } from '../../durable-objects/stubs.ts';
import type { AskProgress } from '../../schema/domain/ask.ts';
import { isOpenAsk } from '../../schema/domain/ask.ts';
import type { AskRow } from '../../schema/tables/index.ts';
import { asks } from '../../schema/tables/index.ts';
import { guardThat } from '../db/guards.ts';
import type { Statement } from '../db/open.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { projectAgain } from '../renewal/projection-marks.ts';

/** The columns that a decision may change. */
export type AskChange = AskProgress & Pick<AskRow, 'client_id' | 'command_id'>;

export function storeAsk(edge: Edge, read: AskRow, next: AskChange): Plan {
  if (next === read) return {};
  const { env, db, now } = edge;
  const { operation_id, local_conversation_id } = read;
  const isOver = isOpenAsk(read) && !isOpenAsk(next);
  const statements: Statement[] = [
    db.update(asks).set(changeOf(next)).where(eq(asks.operation_id, operation_id)),
    ...(isOver ? [release(edge, read), projectAgain(db, local_conversation_id, now)] : []),
  ];
  const isAsRead = sql`EXISTS (SELECT 1 FROM asks WHERE operation_id = ${operation_id} AND state = ${read.state}
    AND attempt_count = ${read.attempt_count} AND due_at IS ${read.due_at} AND delivered_at IS ${read.delivered_at})`;
  const isNews = next.state !== read.state || next.reason !== read.reason;
  return {
    guards: [guardThat(db, isAsRead)],
    statements,
    events: isNews ? [askEvent(read, next)] : [],
    after: () => (isOver ? timedJobs(env).due(now) : wakeFor(edge, next)),
  };
}

/** A tick looks at it when it is due. */
export async function wakeFor({ env }: Pick<Edge, 'env'>, { due_at }: Pick<AskProgress, 'due_at'>): Promise<void> {
  if (due_at !== null) await timedJobs(env).due(due_at);
}

export function askEvent(
  { operation_id, local_conversation_id }: Pick<AskRow, 'operation_id' | 'local_conversation_id'>,
  { state, reason }: Pick<AskProgress, 'state' | 'reason'>,
) {
  const data = { operation_id, reason };
  return { topic: 'conversations', type: `ask_${state}`, subject_id: local_conversation_id, data } as const;
}

function release({ db }: Edge, { operation_id, local_conversation_id }: AskRow): Statement {
  return db.run(sql`UPDATE local_conversations SET open_ask = NULL
    WHERE local_conversation_id = ${local_conversation_id} AND open_ask = ${operation_id}`);
}

function changeOf(next: AskChange): AskChange {
  const { state, reason, attempt_count, controller_id, client_id, command_id, due_at, deadline_at } = next;
  const { created_at, sent_at, delivered_at, finished_at, answer_message_id, answer_evidence } = next;
  const sending = { state, reason, attempt_count, controller_id, client_id, command_id, due_at, deadline_at };
  return { ...sending, created_at, sent_at, delivered_at, finished_at, answer_message_id, answer_evidence };
}

/**
 * A person has a conversation forgotten: what was said and done in it until now is removed by the ticks that follow, a bounded
 * part at a time (forget.job.ts). Nothing of it may be under way.
 */
import { sql } from 'drizzle-orm';
import { timedJobs } from '../../durable-objects/stubs.ts';
import type { ForgetState } from '../../schema/contracts/forget.ts';
import { NOTHING_FORGOTTEN } from '../../schema/contracts/forget.ts';
import { AppError } from '../../schema/errors.ts';
import type { ConversationRow } from '../../schema/tables/index.ts';
import { guardThat } from '../db/guards.ts';
import type { Edge, WritePlan } from '../db/plan.ts';
import { OPEN_SQL } from '../db/status-sql.ts';
import { OPEN_TASK_SQL } from '../db/task-sql.ts';
import { requireConversation } from '../renewal/conversation-reads.ts';

/** What is under way in a conversation, each with what a person does about it first. */
const UNDER_WAY = {
  instructions: 'instructions that have not ended: cancel them, or wait',
  tasks: 'tasks that have not ended: cancel them, or wait',
  asks: 'a question that waits for its answer',
  renewals: 'a renewal that is being delivered',
  replies: 'a reply that is still to be delivered',
} as const;

const counts = (id: string) => sql`
  (SELECT count(*) FROM instructions WHERE watched IN (0, 1) AND local_conversation_id = ${id} AND status ${OPEN_SQL}) AS instructions,
  (SELECT count(*) FROM tasks WHERE local_conversation_id = ${id} AND status ${OPEN_TASK_SQL}) AS tasks,
  (SELECT count(*) FROM local_conversations WHERE local_conversation_id = ${id} AND open_ask IS NOT NULL) AS asks,
  (SELECT count(*) FROM renewal_jobs WHERE local_conversation_id = ${id} AND status = 'running') AS renewals,
  (SELECT count(*) FROM messages WHERE ingest_seq IN (SELECT ingest_seq FROM messages
    WHERE local_conversation_id = ${id}) AND reply_due_at IS NOT NULL) AS replies`;

/** Throws `conversation_not_found`, and `conflict` while something is under way. */
export async function forgetConversation(edge: Edge, id: string): Promise<WritePlan<ForgetState>> {
  const { env, db, now } = edge;
  const row = await requireConversation(db, id);
  if (row.forget_before !== null) return { audited: false, subject_id: id, response: forgetState(row) };
  const [found] = await db.all<Record<keyof typeof UNDER_WAY, number>>(sql`SELECT ${counts(id)}`);
  const open = Object.entries(UNDER_WAY).filter(([name]) => (found?.[name as keyof typeof UNDER_WAY] ?? 0) > 0);
  if (open.length > 0) {
    const what = open.map(([, text]) => text).join('; ');
    throw new AppError('conflict', `${id} has ${what}`, { details: { under_way: open.map(([name]) => name) } });
  }
  const total = sql`(SELECT instructions + tasks + asks + renewals + replies FROM (SELECT ${counts(id)}))`;
  return {
    guards: [guardThat(db, sql`${total} = 0`)],
    statements: [
      db.run(sql`UPDATE local_conversations SET forget_before = ${now} WHERE local_conversation_id = ${id}`),
    ],
    events: [{ topic: 'conversations', type: 'forget_requested', subject_id: id }],
    subject_id: id,
    response: forgetState({ ...row, forget_before: now }),
    after: () => timedJobs(env).due(now),
  };
}

export function forgetState({
  forget_before,
  forgotten_before,
  forgotten,
}: Pick<ConversationRow, 'forget_before' | 'forgotten_before' | 'forgotten'>): ForgetState {
  const state = forget_before !== null ? 'forgetting' : forgotten_before !== null ? 'forgotten' : 'kept';
  return { state, before: forget_before ?? forgotten_before, removed: { ...NOTHING_FORGOTTEN, ...forgotten } };
}

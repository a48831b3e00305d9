/** Removes the rest of a conversation: tasks that its chat created, texts of renewals and questions, and grants. */
import { and, eq, sql } from 'drizzle-orm';
import { placeAt, placeOf, timeOf } from '../../schema/ids.ts';
import { asks, renewal_jobs } from '../../schema/tables/index.ts';
import type { Edge } from '../db/plan.ts';
import { deleteContentsOf } from '../tasks/checkpoint-bucket.ts';
import { deleteTask, runsOf } from '../tasks/delete-task.ts';
import type { ForgottenPart } from './part.ts';
import { deleteCommands, listOf } from './part.ts';
import { endForgetWalks, moveForget } from './walks.ts';

const MAX_ROWS = 200;
/** Tasks of a part, of which few or none are of the chat. */
const MAX_LOOKED = 500;

/**
 * The next ended task of the chat, or the way to it; null when there is none left. No index has the ended tasks of a chat: they
 * are walked by the time they were made, from that of the conversation on, so many of them in a part.
 */
export async function forgetTask(
  edge: Edge,
  conversationId: string,
  { from, before }: { from: number; before: number },
): Promise<ForgottenPart | null> {
  const { env, db } = edge;
  const looked = await db.all<{ task_id: string; is_due: 0 | 1 }>(sql`
    SELECT task_id, local_conversation_id IS ${conversationId} AND created_at < ${before} AND finished_at IS NOT NULL AS is_due
    FROM tasks WHERE task_id >= ${`task_${placeAt(from)}`} AND task_id < ${`task_${placeAt(before)}`}
    ORDER BY task_id LIMIT ${MAX_LOOKED}`);
  const found = looked.find(({ is_due }) => is_due === 1);
  const last = found ?? (looked.length === MAX_LOOKED ? looked.at(-1) : undefined);
  if (last === undefined) return null;
  const moved = moveForget(edge, 'tasks', conversationId, timeOf(placeOf(last.task_id)));
  if (found === undefined) return { plan: { statements: [moved] }, removed: {} };
  // The bucket before the rows: what remains after a failure is found by them again.
  await deleteContentsOf(env, await runsOf(db, found.task_id));
  return { plan: { statements: [...deleteTask(db, found.task_id), moved] }, removed: { tasks: 1 } };
}

/** Texts of renewals and questions. A renewal that has not left yet is canceled: its text quotes what is forgotten. */
export async function forgetSent(edge: Edge, conversationId: string, before: number): Promise<ForgottenPart | null> {
  const { db, now } = edge;
  const [jobs, questions] = await db.batch([
    db
      .select({
        job_id: renewal_jobs.job_id,
        command_id: sql<string | null>`${renewal_jobs.target_snapshot}->>'$.sent.command_id'`,
      })
      .from(renewal_jobs)
      .where(
        and(
          eq(renewal_jobs.local_conversation_id, conversationId),
          sql`${renewal_jobs.created_at} < ${before} AND ${renewal_jobs.payload} <> ''`,
        ),
      )
      .limit(MAX_ROWS),
    db
      .select({ operation_id: asks.operation_id, command_id: asks.command_id })
      .from(asks)
      .where(
        and(
          eq(asks.local_conversation_id, conversationId),
          sql`${asks.created_at} < ${before} AND ${asks.message_text} <> ''`,
        ),
      )
      .limit(MAX_ROWS),
  ]);
  if (jobs.length + questions.length === 0) return null;
  const statements = [
    db.run(sql`UPDATE renewal_jobs SET payload = '', payload_text = NULL, target_snapshot = NULL, attempts = '[]',
        last_error = iif(status = 'pending', 'forgotten', last_error),
        next_attempt_at = iif(status = 'pending', NULL, next_attempt_at),
        finished_at = iif(status = 'pending', ${now}, finished_at),
        status = iif(status = 'pending', 'canceled', status), updated_at = ${now}
      WHERE job_id IN ${listOf(jobs.map(({ job_id }) => job_id))}`),
    db.run(sql`UPDATE asks SET message_text = ''
      WHERE operation_id IN ${listOf(questions.map(({ operation_id }) => operation_id))}`),
    deleteCommands(db, [...jobs, ...questions]),
  ];
  return { plan: { statements }, removed: { renewal_jobs: jobs.length, asks: questions.length } };
}

/** The last part: grants, titles, and the end. */
export async function forgetEnd(edge: Edge, conversationId: string, before: number): Promise<ForgottenPart> {
  const { db } = edge;
  const [row] = await db.all<{ grants: number }>(sql`SELECT count(*) AS grants FROM grants
    WHERE local_conversation_id = ${conversationId} AND created_at < ${before}`);
  const ofConversation = sql`local_conversation_id = ${conversationId}`;
  const statements = [
    db.run(sql`DELETE FROM grants WHERE ${ofConversation} AND created_at < ${before}`),
    db.run(sql`UPDATE conversation_links SET page_title = NULL,
      target_payload = iif(json_valid(target_payload), json_set(target_payload, '$.page_title', NULL), target_payload)
      WHERE ${ofConversation}`),
    endForgetWalks(db, conversationId),
    db.run(sql`UPDATE local_conversations SET title = NULL, forget_before = NULL, forgotten_before = ${before}
      WHERE ${ofConversation}`),
  ];
  return { plan: { statements }, removed: { grants: row?.grants ?? 0 } };
}

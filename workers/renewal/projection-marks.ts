/**
 * Marks that bring a conversation's newest message before the projector again, after the reason for which it became no job
 * has ended. A mark is the time at which it is due (`project_at` of the conversation), found by a partial index. Only
 * `auto` conversations get one, so an idle system has none.
 */
import { sql } from 'drizzle-orm';
import type { Database, Statement } from '../db/open.ts';

export const PROJECTOR = 'renewal.projector';

/** Marks one conversation for `dueAt` (Unix milliseconds); an earlier mark stays. */
export function projectAgain(db: Database, localConversationId: string, dueAt: number): Statement {
  return projectAllAgain(db, [{ local_conversation_id: localConversationId, due_at: dueAt }]);
}

/** Marks many conversations, each for its own time; an earlier mark stays. */
export function projectAllAgain(
  db: Database,
  marks: readonly { local_conversation_id: string; due_at: number }[],
): Statement {
  return db.run(sql`UPDATE local_conversations SET project_at = min(coalesce(project_at, o.due_at), o.due_at)
    FROM (SELECT value->>'local_conversation_id' AS id, value->>'due_at' AS due_at
      FROM json_each(${JSON.stringify(marks)})) AS o
    WHERE local_conversation_id = o.id AND automation_status = 'auto' AND last_message_id IS NOT NULL`);
}

/** Marks each conversation of those links (JSON rows) whose newest message became no job for want of a link. */
export function projectAgainWhenLinked(db: Database, observedJson: string, dueAt: number): Statement {
  return db.run(sql`UPDATE local_conversations SET project_at = min(coalesce(project_at, ${dueAt}), ${dueAt})
    WHERE local_conversation_id IN (SELECT c.local_conversation_id
      FROM json_each(${observedJson}) AS seen CROSS JOIN local_conversations AS c CROSS JOIN messages AS m
      WHERE c.platform = seen.value->>'platform' AND c.remote_conversation_id = seen.value->>'remote_conversation_id'
        AND c.automation_status = 'auto' AND m.message_id = c.last_message_id
        AND m.skip_reason IN ('missing_active_link', 'route_unavailable'))`);
}

/** Replaces the marks that are due by `now`: by one for a later time, or (null) by none. An earlier one not yet due stays. */
export function replaceMarks(
  db: Database,
  marks: readonly { local_conversation_id: string; due_at: number | null }[],
  now: number,
): Statement {
  return db.run(sql`UPDATE local_conversations SET project_at = CASE
      WHEN automation_status <> 'auto' THEN NULL
      WHEN project_at > ${now} THEN min(project_at, coalesce(o.due_at, project_at))
      ELSE o.due_at END
    FROM (SELECT value->>'local_conversation_id' AS id, value->>'due_at' AS due_at
      FROM json_each(${JSON.stringify(marks)})) AS o
    WHERE local_conversation_id = o.id`);
}

/** When the next mark is due (SQL expression, null when there is none). */
export const nextMark = sql`(SELECT min(project_at) FROM local_conversations WHERE project_at IS NOT NULL)`;

/**
 * Marks that bring a conversation's newest message before the projector once more, after the reason that it made no
 * job has ended. A mark is the time it is due, on the conversation (`project_at`), found by a partial index; it goes
 * with the decision. Only `auto` conversations get one, so an idle system has none.
 */
import { sql } from 'drizzle-orm';
import type { Database, Statement } from '../db/open.ts';

export const PROJECTOR = 'renewal.projector';

/** Looks at the newest message of this conversation again at `dueAt` (Unix milliseconds). */
export function projectAgain(db: Database, localConversationId: string, dueAt: number): Statement {
  return projectAllAgain(db, [{ local_conversation_id: localConversationId, due_at: dueAt }]);
}

/** The same for many, each at its own time. */
export function projectAllAgain(
  db: Database,
  marks: readonly { local_conversation_id: string; due_at: number }[],
): Statement {
  return db.run(sql`UPDATE local_conversations SET project_at = min(coalesce(project_at, o.due_at), o.due_at)
    FROM (SELECT value->>'local_conversation_id' AS id, value->>'due_at' AS due_at
      FROM json_each(${JSON.stringify(marks)})) AS o
    WHERE local_conversation_id = o.id AND automation_status = 'auto' AND last_message_id IS NOT NULL`);
}

/** The same for each observed conversation (JSON rows) whose newest message found no link to go by. */
export function projectAgainWhenLinked(db: Database, observedJson: string, dueAt: number): Statement {
  return db.run(sql`UPDATE local_conversations SET project_at = min(coalesce(project_at, ${dueAt}), ${dueAt})
    WHERE local_conversation_id IN (SELECT c.local_conversation_id
      FROM json_each(${observedJson}) AS seen CROSS JOIN local_conversations AS c CROSS JOIN messages AS m
      WHERE c.platform = seen.value->>'platform' AND c.remote_conversation_id = seen.value->>'remote_conversation_id'
        AND c.automation_status = 'auto' AND m.message_id = c.last_message_id
        AND m.skip_reason IN ('missing_active_link', 'route_unavailable'))`);
}

/** Takes the marks away that are due by `now`. */
export function dropMarks(db: Database, localConversationIds: readonly string[], now: number): Statement {
  return db.run(sql`UPDATE local_conversations SET project_at = NULL WHERE project_at <= ${now}
    AND local_conversation_id IN (SELECT value FROM json_each(${JSON.stringify(localConversationIds)}))`);
}

/** When the next mark is due (SQL expression, null when there is none). */
export const nextMark = sql`(SELECT min(project_at) FROM local_conversations WHERE project_at IS NOT NULL)`;

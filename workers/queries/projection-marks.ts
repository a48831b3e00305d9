/**
 * Marks that bring a conversation's newest message before the projector once more, after the reason that it made no
 * job has ended. A mark is a cursor of its own (`renewal.projector#<conversation>`) whose position is the time it is
 * due; it goes with the decision. Only `auto` conversations get one, so an idle system has none.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import type { Database, Statement } from '../db.ts';

export const PROJECTOR = 'renewal.projector';
const PREFIX = `${PROJECTOR}#`;
/** The first text after every one that begins with the prefix: marks are one range of the primary key. */
const PREFIX_END = `${PROJECTOR}$`;

/** Looks at the newest message of this conversation again at `dueAt` (Unix milliseconds). */
export function projectAgain(db: Database, localConversationId: string, dueAt: number): Statement {
  return db.run(sql`INSERT INTO runner_cursors (runner, position, updated_at)
    SELECT ${PREFIX} || local_conversation_id, ${dueAt}, ${dueAt} FROM local_conversations
    WHERE local_conversation_id = ${localConversationId} AND automation_status = 'auto' AND last_message_id IS NOT NULL
    ON CONFLICT (runner) DO UPDATE SET position = min(position, excluded.position)`);
}

/** The same for each observed conversation (JSON rows) whose newest message found no link to go by. */
export function projectAgainWhenLinked(db: Database, observedJson: string, dueAt: number): Statement {
  return db.run(sql`INSERT INTO runner_cursors (runner, position, updated_at)
    SELECT ${PREFIX} || c.local_conversation_id, ${dueAt}, ${dueAt}
    FROM json_each(${observedJson}) AS seen CROSS JOIN local_conversations AS c CROSS JOIN messages AS m
    WHERE c.platform = seen.value->>'platform' AND c.remote_conversation_id = seen.value->>'remote_conversation_id'
      AND c.automation_status = 'auto' AND m.message_id = c.last_message_id
      AND m.skip_reason IN ('missing_active_link', 'route_unavailable')
    ON CONFLICT (runner) DO UPDATE SET position = min(position, excluded.position)`);
}

/** Conversations whose mark is due, as a table with `local_conversation_id`. */
export function dueMark(now: number): SQL {
  return sql`(SELECT substr(runner, ${PREFIX.length + 1}) AS local_conversation_id FROM runner_cursors
    WHERE runner > ${PREFIX} AND runner < ${PREFIX_END} AND position <= ${now})`;
}

export function dropMarks(db: Database, localConversationIds: readonly string[]): Statement {
  const runners = localConversationIds.map((id) => PREFIX + id);
  return db.run(
    sql`DELETE FROM runner_cursors WHERE runner IN (SELECT value FROM json_each(${JSON.stringify(runners)}))`,
  );
}

/** When the next mark is due (SQL expression, null when there is none). */
export const nextMark = sql`(SELECT min(position) FROM runner_cursors
  WHERE runner > ${PREFIX} AND runner < ${PREFIX_END})`;

/** The cursors with which the ticks walk what is stored, for texts that are old enough and for what is forgotten. */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import type { Period } from '../../schema/domain/text-retention.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Edge } from '../db/plan.ts';

export const cursorName = (period: Period): string => `texts.retention/${period}`;

/** Has the walk of that period begin again: texts that it has passed may be due since a setting has changed. */
export function walkAgain(db: Database, period: Period): Statement {
  return db.run(sql`UPDATE runner_cursors SET position = 0 WHERE runner = ${cursorName(period)}`);
}

/** What the parts of forgetting a conversation walk, each from the place where the part before has ended. */
export type ForgetWalk = 'messages' | 'tasks';
const forgetCursor = (walk: ForgetWalk, conversationId: string) => `conversations.forget/${walk}/${conversationId}`;

/** The place of that walk; 0 at its beginning. For the middle of a statement, which may have the id in a column. */
export const forgetPosition = (walk: ForgetWalk, conversationId: string | SQL): SQL =>
  sql`coalesce((SELECT position FROM runner_cursors WHERE runner = ${forgetCursor(walk, '')} || ${conversationId}), 0)`;

export function moveForget({ db, now }: Edge, walk: ForgetWalk, conversationId: string, position: number): Statement {
  return db.run(sql`INSERT INTO runner_cursors (runner, position, updated_at)
    VALUES (${forgetCursor(walk, conversationId)}, ${position}, ${now})
    ON CONFLICT (runner) DO UPDATE SET position = excluded.position, updated_at = excluded.updated_at`);
}

export function endForgetWalks(db: Database, conversationId: string): Statement {
  const [messages, tasks] = [forgetCursor('messages', conversationId), forgetCursor('tasks', conversationId)];
  return db.run(sql`DELETE FROM runner_cursors WHERE runner IN (${messages}, ${tasks})`);
}

/** Asks: messages of people into conversations, each with the answer to it. */
import { sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { ANSWER_EVIDENCE, ASK_STATES } from '../contracts/asks.ts';

export const asks = sqliteTable(
  'asks',
  {
    /** The caller's name of it. */
    operation_id: text().primaryKey(),
    local_conversation_id: text().notNull(),
    state: text({ enum: ASK_STATES }).notNull(),
    reason: text(),
    message_text: text().notNull(),
    asked_by: text().notNull(),
    /** The browser, its node, and the command that carries it; null before the first sending. */
    controller_id: text(),
    client_id: text(),
    command_id: text(),
    /** How often it was handed to a node. */
    attempt_count: integer().notNull(),
    /** When the tick looks at it next; null: never again. */
    due_at: integer(),
    /** When its state ends by itself. */
    deadline_at: integer(),
    answer_message_id: text(),
    answer_evidence: text({ enum: ANSWER_EVIDENCE }),
    created_at: integer().notNull(),
    sent_at: integer(),
    delivered_at: integer(),
    finished_at: integer(),
  },
  (t) => [
    index('asks_due').on(t.due_at).where(sql`due_at IS NOT NULL`),
    index('asks_by_conversation').on(t.local_conversation_id, t.created_at),
  ],
);
export type AskRow = typeof asks.$inferSelect;

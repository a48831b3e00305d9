/**
 * Calls through MCP: what identifies a repeat of one, who made it, and the instruction that a node makes of it. For a call
 * that a node runs this row takes the place of a message; a call that the edge runs keeps its response here.
 */
import { sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { json } from './json-column.ts';

export const mcp_calls = sqliteTable(
  'mcp_calls',
  {
    /** The id of the message that its instruction belongs to. */
    message_id: text().primaryKey(),
    token_id: text().notNull(),
    /** Of the token: who asked. */
    subject: text().notNull(),
    /** `_meta.operation_id`, by which a caller names one call. */
    operation_id: text(),
    /** The JSON-RPC id, as JSON. */
    request_id: text().notNull(),
    /** A hash of the tool and its arguments. */
    call_hash: text().notNull(),
    /** The name of the tool in MCP. */
    mcp_tool: text().notNull(),
    /** `target::tool` of the instruction, and what follows; null for a call that the edge runs. */
    name: text(),
    params: json<Record<string, unknown>>(() => ({})),
    instruction_id: text(),
    /** Of this call alone, so that calls run side by side; no conversation has it. */
    local_conversation_id: text(),
    /** The node that was asked to judge and run it. */
    controller_id: text(),
    command_id: text(),
    /** The result of a call that the edge has run. */
    response: json<Record<string, unknown>>(() => null),
    created_at: integer().notNull(),
    /** When the edge had run it, or no node had judged it in time; null for what its instruction ends. */
    ended_at: integer(),
  },
  (t) => [
    index('mcp_calls_by_call').on(t.token_id, t.call_hash).where(sql`operation_id IS NULL`),
    uniqueIndex('mcp_calls_by_operation').on(t.token_id, t.operation_id).where(sql`operation_id IS NOT NULL`),
  ],
);

export type McpCallRow = typeof mcp_calls.$inferSelect;

/** Messages, the instructions found in them, their story, and the full text of what they answered. */
import { sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { PLATFORM_IDS } from '../contracts/common.ts';
import type { BlockError, PolicyVerdict } from '../contracts/instructions.ts';
import {
  INGEST_STATUSES,
  INSTRUCTION_EVENT_KINDS,
  INSTRUCTION_STATES,
  REPLY_OUTCOMES,
} from '../contracts/instructions.ts';
import { SKIP_REASONS } from '../contracts/renewal.ts';

export const messages = sqliteTable(
  'messages',
  {
    /** Grows with arrival; the projector's cursor runs over it. */
    ingest_seq: integer().primaryKey({ autoIncrement: true }),
    message_id: text().notNull().unique(),
    local_conversation_id: text().notNull(),
    platform: text({ enum: PLATFORM_IDS }).notNull(),
    remote_conversation_id: text().notNull(),
    assistant_message_id: text(),
    /** What makes it the same message: `id:<assistant_message_id>` or `text:<sha256>`. */
    identity: text().notNull(),
    text_hash: text().notNull(),
    raw_text: text().notNull(),
    role: text({ enum: ['assistant', 'user', 'system', 'tool'] }).notNull(),
    controller_id: text().notNull(),
    client_id: text().notNull(),
    capture: text({ mode: 'json' })
      .$type<{ source: 'network' | 'dom'; other: 'agrees' | 'absent' | 'differs' }>()
      .notNull(),
    block_errors: text({ mode: 'json' }).$type<BlockError[]>().notNull(),
    ingest_status: text({ enum: INGEST_STATUSES }).notNull(),
    reply_outcome: text({ enum: REPLY_OUTCOMES }),
    reply_reason: text(),
    replied_at: integer(),
    /** Why the projector made no job of it; null when it did, or has not come to it. */
    skip_reason: text({ enum: SKIP_REASONS }),
    /** The command by which a person had it judged again; null once that node has claimed it. */
    resubmit_command_id: text(),
    observed_at: integer().notNull(),
    received_at: integer().notNull(),
  },
  (t) => [
    uniqueIndex('messages_by_identity').on(t.local_conversation_id, t.identity),
    index('messages_by_text').on(t.local_conversation_id, t.text_hash),
    index('messages_by_conversation').on(t.local_conversation_id, t.ingest_seq),
  ],
);

export const instructions = sqliteTable(
  'instructions',
  {
    instruction_id: text().primaryKey(),
    dedupe_key: text().notNull().unique(),
    message_id: text().notNull(),
    local_conversation_id: text().notNull(),
    controller_id: text().notNull(),
    block_index: integer().notNull(),
    index: integer().notNull(),
    target: text().notNull(),
    tool: text().notNull(),
    params: text({ mode: 'json' }).$type<Record<string, unknown>>().notNull(),
    status: text({ enum: INSTRUCTION_STATES }).notNull(),
    policy: text({ mode: 'json' }).$type<PolicyVerdict>().notNull(),
    gate: text(),
    approval: text({ mode: 'json' }).$type<Record<string, unknown>>(),
    timeout_ms: integer().notNull(),
    claim_expires_at: integer(),
    started_at: integer(),
    finished_at: integer(),
    exit_code: integer(),
    error_code: text(),
    duration_ms: integer(),
    output_summary: text(),
    artifact_id: text(),
    truncated: integer({ mode: 'boolean' }).notNull().default(false),
    late_result: text({ mode: 'json' }).$type<Record<string, unknown>>(),
    /** By which another node does it in its browser; null when the holder does it itself. */
    command_id: text(),
    /** When a person asked for its end while it ran. */
    cancel_requested_at: integer(),
    /** Characters of output that its holder has told while it runs. */
    output_chars: integer().notNull().default(0),
    created_at: integer().notNull(),
    updated_at: integer().notNull(),
  },
  (t) => [
    uniqueIndex('instructions_by_message').on(t.message_id, t.index),
    index('instructions_busy').on(t.local_conversation_id).where(sql`status IN ('claimed', 'running')`),
    index('instructions_claims').on(t.claim_expires_at).where(sql`claim_expires_at IS NOT NULL`),
    index('instructions_awaiting').on(t.instruction_id).where(sql`status = 'awaiting_approval'`),
  ],
);

export const instruction_events = sqliteTable(
  'instruction_events',
  {
    seq: integer().primaryKey({ autoIncrement: true }),
    instruction_id: text().notNull(),
    at: integer().notNull(),
    kind: text({ enum: INSTRUCTION_EVENT_KINDS }).notNull(),
    controller_id: text(),
    detail: text({ mode: 'json' }).$type<Record<string, unknown>>().notNull(),
    /** The node whose journal it is in, its place there, and the hashes that bind it to what came before. */
    chain: text(),
    chain_seq: integer(),
    prev_hash: text(),
    hash: text(),
  },
  (t) => [
    index('instruction_events_by_instruction').on(t.instruction_id, t.seq),
    // Two commits that continue one chain from the same place collide here.
    uniqueIndex('instruction_events_by_chain').on(t.chain, t.chain_seq),
  ],
);

/** Where each node's journal ends: the newest entry cannot be taken away unseen. */
export const journal_heads = sqliteTable('journal_heads', {
  chain: text().primaryKey(),
  seq: integer().notNull(),
  hash: text().notNull(),
});

export const artifacts = sqliteTable('artifacts', {
  artifact_id: text().primaryKey(),
  kind: text({ enum: ['instruction_output'] }).notNull(),
  instruction_id: text(),
  content: text().notNull(),
  created_at: integer().notNull(),
});

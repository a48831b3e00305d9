/** Messages, the instructions found in them, and the full text of long outputs. */
import { sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { PLATFORM_IDS } from '../contracts/common.ts';
import type { Artifact } from '../contracts/events.ts';
import { ARTIFACT_KINDS } from '../contracts/events.ts';
import type {
  Approval,
  BlockError,
  Capture,
  Instruction,
  Message,
  PolicyVerdict,
  Resolution,
} from '../contracts/instructions.ts';
import { INGEST_STATUSES, INSTRUCTION_STATES, MESSAGE_ROLES, REPLY_OUTCOMES } from '../contracts/instructions.ts';
import { SKIP_REASONS } from '../contracts/renewal.ts';
import { json } from './json-column.ts';
import type { RowOf } from './row.ts';

/** Of a hash that no host computes, so that nothing can be approved by it. */
const unreadableApproval = (): Approval => ({
  display: 'what was to be approved cannot be read any more',
  approval_hash: '0'.repeat(64),
  cwd: null,
  env_names: [],
  file_hashes: {},
});

export const messages = sqliteTable(
  'messages',
  {
    /** Grows with arrival, as no message is ever deleted; the projector's cursor runs over it. */
    ingest_seq: integer().primaryKey(),
    message_id: text().notNull().unique(),
    local_conversation_id: text().notNull(),
    platform: text({ enum: PLATFORM_IDS }).notNull(),
    remote_conversation_id: text().notNull(),
    assistant_message_id: text(),
    /** Equal for two observations of one message: `id:<assistant_message_id>` or `text:<sha256>`. */
    identity: text().notNull(),
    text_hash: text().notNull(),
    raw_text: text().notNull(),
    role: text({ enum: MESSAGE_ROLES }).notNull(),
    controller_id: text().notNull(),
    client_id: text().notNull(),
    capture: json<Capture>(() => ({ source: 'dom', other: 'differs' })).notNull(),
    block_errors: json<BlockError[]>(() => []).notNull(),
    ingest_status: text({ enum: INGEST_STATUSES }).notNull(),
    reply_outcome: text({ enum: REPLY_OUTCOMES }),
    reply_reason: text(),
    replied_at: integer(),
    /** When a reply that was not reported is given up; null when none is expected. */
    reply_due_at: integer(),
    /** Why the projector created no job; null when it did, or has not reached this message. */
    skip_reason: text({ enum: SKIP_REASONS }),
    /** The command of a pending resubmission; null once the node has claimed the message. */
    resubmit_command_id: text(),
    observed_at: integer().notNull(),
    received_at: integer().notNull(),
    /** When its text and what its instructions asked and printed were removed, by a person or by their age. */
    forgotten_at: integer(),
  },
  (t) => [
    uniqueIndex('messages_by_identity').on(t.local_conversation_id, t.identity),
    index('messages_by_text').on(t.local_conversation_id, t.text_hash),
    index('messages_reply_due').on(t.reply_due_at).where(sql`reply_due_at IS NOT NULL`),
  ],
);

export type MessageRow = RowOf<typeof messages, Message>;

/** Stored WITHOUT ROWID, so that its key costs no row of an index. */
export const instructions = sqliteTable(
  'instructions',
  {
    instruction_id: text().primaryKey(),
    /** A hash of the whole call and its place; unique because its message and its index are. */
    dedupe_key: text().notNull(),
    message_id: text().notNull(),
    local_conversation_id: text().notNull(),
    controller_id: text().notNull(),
    block_index: integer().notNull(),
    index: integer().notNull(),
    target: text().notNull(),
    tool: text().notNull(),
    params: json<Record<string, unknown>>(() => ({})).notNull(),
    status: text({ enum: INSTRUCTION_STATES }).notNull(),
    policy: json<PolicyVerdict>(() => ({ decision: 'deny', rule: 'unreadable' })).notNull(),
    gate: text(),
    approval: json<Approval>(unreadableApproval),
    timeout_ms: integer().notNull(),
    /** When its node claimed it; null while it is not claimed and not running. */
    claimed_at: integer(),
    claim_expires_at: integer(),
    approval_expires_at: integer(),
    started_at: integer(),
    finished_at: integer(),
    exit_code: integer(),
    error_code: text(),
    duration_ms: integer(),
    output_summary: text(),
    artifact_id: text(),
    truncated: integer({ mode: 'boolean' }).notNull().default(false),
    late_result: json<Record<string, unknown>>(() => ({})),
    /** The command to another node whose browser runs it; null when its own node runs it. */
    command_id: text(),
    /** The grant that let it run: it uses at most one. */
    grant_id: text(),
    /** What a person says became of it after it was interrupted. */
    resolution: json<Resolution>(() => null),
    /** When a person canceled it while it ran. */
    cancel_requested_at: integer(),
    /** The number of characters of output that its node has reported while it runs. */
    output_chars: integer().notNull().default(0),
    /** Whether its deadline is in an index. Not in its first minute, in which most end: they cost no row of that index. */
    watched: integer({ mode: 'boolean' }).notNull().default(false),
    created_at: integer().notNull(),
    updated_at: integer().notNull(),
  },
  (t) => [
    uniqueIndex('instructions_by_message').on(t.message_id, t.index),
    // Finds those of a conversation, and the few that are not watched yet.
    index('instructions_open')
      .on(t.watched, t.local_conversation_id)
      .where(sql`status IN ('claimed', 'waiting', 'awaiting_approval', 'running')`),
    index('instructions_due').on(t.claim_expires_at).where(sql`watched = 1 AND status IN ('claimed', 'running')`),
    index('instructions_to_approve').on(t.approval_expires_at).where(sql`status = 'awaiting_approval'`),
    // They wait for a person who says what became of them.
    index('instructions_interrupted').on(t.finished_at).where(sql`status = 'interrupted'`),
  ],
);

export type InstructionRow = RowOf<typeof instructions, Instruction & { approval: Approval | null }>;

export const artifacts = sqliteTable('artifacts', {
  artifact_id: text().primaryKey(),
  kind: text({ enum: ARTIFACT_KINDS }).notNull(),
  instruction_id: text(),
  content: text().notNull(),
  created_at: integer().notNull(),
});
export type ArtifactRow = RowOf<typeof artifacts, Artifact>;

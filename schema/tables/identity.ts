/** Tokens, the audit of writes, and what identifies a repeated write. */
import { sql } from 'drizzle-orm';
import { integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import type { AuditEntry } from '../contracts/audit.ts';
import type { Token } from '../contracts/tokens.ts';
import { ROLES } from '../contracts/tokens.ts';
import type { RowOf } from './row.ts';

export const tokens = sqliteTable('tokens', {
  token_id: text().primaryKey(),
  /** The SHA-256 of the secret in hex. The secret itself is not stored. */
  token_hash: text().notNull().unique(),
  role: text({ enum: ROLES }).notNull(),
  subject: text().notNull(),
  controller_id: text(),
  created_by: text().notNull(),
  created_at: integer().notNull(),
  expires_at: integer(),
  revoked_at: integer(),
  last_used_at: integer(),
});

export type TokenRow = RowOf<typeof tokens, Token>;

/** Links that sign a page in. The code itself is in the link only. */
export const sign_in_links = sqliteTable('sign_in_links', {
  /** The SHA-256 of the code in hex. */
  code_hash: text().primaryKey(),
  /** The token that made it, as which it signs in. */
  token_id: text().notNull(),
  created_at: integer().notNull(),
  expires_at: integer().notNull(),
  used_at: integer(),
});

/** Sessions that were signed out, until they would have ended by themselves. */
export const ended_sessions = sqliteTable('ended_sessions', {
  /** The SHA-256 of the cookie in hex. */
  session_hash: text().primaryKey(),
  ended_at: integer().notNull(),
});

/** Rows are never deleted, so `seq` only grows. The writes of people are chained: two that continue the chain from one place collide. */
export const audit = sqliteTable(
  'audit',
  {
    seq: integer().primaryKey(),
    at: integer().notNull(),
    actor: text().notNull(),
    role: text().notNull(),
    action: text().notNull(),
    subject_id: text(),
    request_id: text().notNull(),
    /** The place in the chain of people's writes; null for a write of a node, which is not chained. */
    chain_seq: integer(),
    prev_hash: text(),
    hash: text(),
  },
  (t) => [uniqueIndex('audit_chain').on(t.chain_seq).where(sql`chain_seq IS NOT NULL`)],
);

export type AuditRow = RowOf<typeof audit, AuditEntry>;

/** The first response to an `Idempotency-Key` of a caller that is not an outbox. */
export const idempotency_keys = sqliteTable(
  'idempotency_keys',
  {
    token_id: text().notNull(),
    key: text().notNull(),
    body_hash: text().notNull(),
    status: integer().notNull(),
    answer: text().notNull(),
    created_at: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.token_id, t.key] })],
);

/** High-water mark of one stream of one outbox, with the response to its newest row. */
export const outbox_marks = sqliteTable(
  'outbox_marks',
  {
    controller_id: text().notNull(),
    outbox_id: text().notNull(),
    stream: text().notNull(),
    seq: integer().notNull(),
    body_hash: text().notNull(),
    status: integer().notNull(),
    answer: text().notNull(),
    /** The head that the stream's newest journalled write left to the chain of this node. */
    journal_seq: integer(),
    journal_hash: text(),
    updated_at: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.controller_id, t.outbox_id, t.stream] })],
);

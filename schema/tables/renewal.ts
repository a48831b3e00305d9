/** Renewal jobs, the state of the timed jobs, and the tick log. */
import { sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { JobAttempt, RenewalJob, TargetSnapshot } from '../contracts/renewal.ts';
import { JOB_STATUSES, PAYLOAD_KINDS } from '../contracts/renewal.ts';
import type { RenewalSettingsPatch } from '../contracts/renewal-settings.ts';
import type { Tick, TickEntry } from '../contracts/ticks.ts';
import { TICK_DECISIONS, TICK_TRIGGERS } from '../contracts/ticks.ts';
import { json } from './json-column.ts';
import type { RowOf } from './row.ts';

export const renewal_jobs = sqliteTable(
  'renewal_jobs',
  {
    job_id: text().primaryKey(),
    local_conversation_id: text().notNull(),
    message_id: text().notNull().unique(),
    status: text({ enum: JOB_STATUSES }).notNull(),
    payload: text().notNull(),
    payload_kind: text({ enum: PAYLOAD_KINDS }).notNull(),
    payload_text: text(),
    target_snapshot: json<TargetSnapshot>(() => null),
    plan_id: text(),
    batch_id: text(),
    attempt_count: integer().notNull(),
    max_attempts: integer().notNull(),
    next_attempt_at: integer(),
    deadline_at: integer(),
    last_attempt_at: integer(),
    last_error: text(),
    log_path: text(),
    attempts: json<JobAttempt[]>(() => [])
      .notNull()
      .default([]),
    started_at: integer(),
    finished_at: integer(),
    created_at: integer().notNull(),
    updated_at: integer().notNull(),
  },
  (t) => [
    index('renewal_jobs_due').on(t.next_attempt_at).where(sql`status = 'pending'`),
    index('renewal_jobs_running').on(t.deadline_at).where(sql`status = 'running'`),
    index('renewal_jobs_by_conversation').on(t.local_conversation_id, t.job_id),
  ],
);

export type JobRow = RowOf<typeof renewal_jobs, RenewalJob>;

/** The settings of renewal: one row for each scope (`default`, a platform, a conversation's id). */
export const renewal_settings = sqliteTable('renewal_settings', {
  scope: text().primaryKey(),
  settings: json<RenewalSettingsPatch>(() => ({})).notNull(),
  updated_at: integer().notNull(),
});

/** The durable cursors of runners. */
export const runner_cursors = sqliteTable('runner_cursors', {
  runner: text().primaryKey(),
  position: integer().notNull(),
  updated_at: integer().notNull(),
});

/** One tick that did or decided something, with its log entries. The newest is never deleted, so `tick_seq` only grows. */
export const ticks = sqliteTable('ticks', {
  tick_seq: integer().primaryKey(),
  batch_id: text().notNull().unique(),
  trigger: text({ enum: TICK_TRIGGERS }).notNull(),
  decision: text({ enum: TICK_DECISIONS }).notNull(),
  started_at: integer().notNull(),
  finished_at: integer().notNull(),
  entries: json<TickEntry[]>(() => []).notNull(),
});
export type TickRow = RowOf<typeof ticks, Tick>;

/** Runs of steps, the kept parts of their logs, and their checkpoints. */
import { sql } from 'drizzle-orm';
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import type { Checkpoint, LogState, Run, RunUsage } from '../contracts/runs.ts';
import { CHECKPOINT_TYPES, NEW_LOG, RUN_LOGS, RUN_STATUSES, RUN_STREAMS } from '../contracts/runs.ts';
import { json } from './json-column.ts';
import type { RowOf } from './row.ts';

/** Stored WITHOUT ROWID. */
export const runs = sqliteTable(
  'runs',
  {
    run_id: text().primaryKey(),
    task_id: text().notNull(),
    step_id: text().notNull(),
    attempt: integer().notNull(),
    status: text({ enum: RUN_STATUSES }).notNull(),
    controller_id: text().notNull(),
    worker_subject: text(),
    claim_key: text().notNull(),
    /** How far each heartbeat moves the deadline. */
    grace_ms: integer().notNull(),
    deadline_at: integer(),
    /** When its node was asked to give it up, for another host to continue it. */
    hand_over_at: integer(),
    /** When a person interrupted it with a pause of the system. */
    interrupt_at: integer(),
    progress: text(),
    exit_code: integer(),
    signal: text(),
    summary: text(),
    error_code: text(),
    error_text: text(),
    checkpoint_seq: integer().notNull(),
    usage: json<RunUsage>(() => ({})),
    session_id: text(),
    log: json<LogState>(() => NEW_LOG).notNull(),
    created_at: integer().notNull(),
    started_at: integer(),
    finished_at: integer(),
  },
  (t) => [
    index('runs_by_task').on(t.task_id, t.run_id),
    uniqueIndex('runs_by_claim').on(t.controller_id, t.claim_key),
    index('runs_due').on(t.deadline_at).where(sql`status IN ('prepared', 'running')`),
    index('runs_live').on(t.controller_id).where(sql`status IN ('prepared', 'running')`),
  ],
);
export type RunRow = RowOf<typeof runs, Run>;

/**
 * What is kept of the logs of runs, in the order of arrival. Stored WITHOUT ROWID. `position` counts the bytes of the log,
 * `start` those of the row's own stream.
 */
export const run_logs = sqliteTable(
  'run_logs',
  {
    run_id: text().notNull(),
    log: text({ enum: RUN_LOGS }).notNull(),
    position: integer().notNull(),
    stream: text({ enum: RUN_STREAMS }).notNull(),
    start: integer().notNull(),
    bytes: integer().notNull(),
    /** In base64, because D1 returns a blob as a list of numbers. */
    data: text().notNull(),
  },
  (t) => [primaryKey({ columns: [t.run_id, t.log, t.position] })],
);
export type LogRow = typeof run_logs.$inferSelect;

/** Stored WITHOUT ROWID. */
export const checkpoints = sqliteTable(
  'checkpoints',
  {
    run_id: text().notNull(),
    seq: integer().notNull(),
    step_id: text().notNull(),
    type: text({ enum: CHECKPOINT_TYPES }).notNull(),
    size: integer().notNull(),
    sha256: text().notNull(),
    truncated: integer({ mode: 'boolean' }).notNull(),
    created_at: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.run_id, t.seq] })],
);
export type CheckpointRow = RowOf<typeof checkpoints, Checkpoint>;

/** The content of the last whole checkpoint of each type of a step. */
export const checkpoint_contents = sqliteTable(
  'checkpoint_contents',
  {
    task_id: text().notNull(),
    type: text({ enum: CHECKPOINT_TYPES }).notNull(),
    /** Orders the steps of a task. */
    step_id: text().notNull(),
    run_id: text().notNull(),
    seq: integer().notNull(),
    /** In base64; empty when the bucket has it. */
    content: text().notNull(),
    in_bucket: integer({ mode: 'boolean' }).notNull().default(false),
  },
  (t) => [primaryKey({ columns: [t.task_id, t.type, t.step_id] })],
);

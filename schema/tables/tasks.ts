/** Tasks, their steps, and which tasks wait for which. */
import { sql } from 'drizzle-orm';
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import type { Step, Task, TaskConstraints } from '../contracts/tasks.ts';
import { NOTICE_STATUSES, READINESS, STEP_STATUSES, TASK_STATUSES } from '../contracts/tasks.ts';
import { json } from './json-column.ts';
import type { RowOf } from './row.ts';

/** Stored WITHOUT ROWID, so that its key costs no row of an index. */
export const tasks = sqliteTable(
  'tasks',
  {
    task_id: text().primaryKey(),
    status: text({ enum: TASK_STATUSES }).notNull(),
    task_type: text().notNull(),
    repo: text(),
    title: text().notNull(),
    goal: text().notNull(),
    acceptance: json<string[]>(() => []).notNull(),
    priority: integer().notNull(),
    constraints: json<TaskConstraints>(() => ({})).notNull(),
    notify: integer({ mode: 'boolean' }).notNull(),
    hold_renewal: integer({ mode: 'boolean' }).notNull(),
    base_ref: text(),
    base_sha: text(),
    branch_name: text(),
    metadata: json<Record<string, unknown>>(() => ({})).notNull(),
    created_by: text().notNull(),
    is_persons: integer({ mode: 'boolean' }).notNull(),
    local_conversation_id: text(),
    instruction_id: text(),
    /** Its creator gave its steps: no node plans it. */
    has_own_steps: integer({ mode: 'boolean' }).notNull(),
    step_count: integer().notNull(),
    waits_for: integer().notNull(),
    current_step_index: integer().notNull(),
    assigned_controller_id: text(),
    result_summary: text(),
    error_code: text(),
    error_text: text(),
    cancel_requested_at: integer(),
    created_at: integer().notNull(),
    started_at: integer(),
    finished_at: integer(),
    updated_at: integer().notNull(),
  },
  (t) => [
    index('tasks_open').on(t.status, t.task_id).where(sql`status IN ('queued', 'running', 'blocked')`),
    index('tasks_blocked').on(t.updated_at).where(sql`status = 'blocked'`),
    index('tasks_ended').on(t.finished_at).where(sql`finished_at IS NOT NULL`),
    index('tasks_open_of_chat')
      .on(t.local_conversation_id)
      .where(sql`local_conversation_id IS NOT NULL AND status IN ('queued', 'running', 'blocked')`),
  ],
);
export type TaskRow = RowOf<typeof tasks, Task>;

/** Stored WITHOUT ROWID. A row for each task of `constraints.after`. */
export const task_dependencies = sqliteTable(
  'task_dependencies',
  { after_task_id: text().notNull(), task_id: text().notNull() },
  (t) => [primaryKey({ columns: [t.after_task_id, t.task_id] })],
);

/** Stored WITHOUT ROWID. */
export const steps = sqliteTable(
  'steps',
  {
    step_id: text().primaryKey(),
    task_id: text().notNull(),
    step_index: integer().notNull(),
    kind: text().notNull(),
    name: text().notNull(),
    input: json<Record<string, unknown>>(() => ({})).notNull(),
    status: text({ enum: STEP_STATUSES }).notNull(),
    attempt: integer().notNull(),
    max_attempts: integer().notNull(),
    timeout_ms: integer().notNull(),
    run_id: text(),
    /** What its host must have: `<repo or nothing>/<executor>`. */
    needs: text().notNull(),
    /** The host or node that it is addressed to; empty: the leader's; `*`: of any node. */
    target: text().notNull(),
    /** The node that gave it up, which does not get it back before that time. */
    except_controller_id: text(),
    except_until: integer(),
    priority: integer().notNull(),
    /** Set while a node may claim it: whether its task begins with it, or has begun. */
    ready: text({ enum: READINESS }),
    summary: text(),
    error_code: text(),
    error_text: text(),
    started_at: integer(),
    finished_at: integer(),
  },
  (t) => [
    uniqueIndex('steps_by_task').on(t.task_id, t.step_index),
    // A claim reads one row for each thing that its node has, however many steps wait.
    index('steps_ready').on(t.target, t.needs, t.ready, sql`priority DESC`, t.step_id).where(sql`ready IS NOT NULL`),
  ],
);
export type StepRow = RowOf<typeof steps, Step>;

/** The report of a task's end into the chat that created it. Stored WITHOUT ROWID. */
export const task_notices = sqliteTable(
  'task_notices',
  {
    task_id: text().primaryKey(),
    local_conversation_id: text().notNull(),
    status: text({ enum: NOTICE_STATUSES }).notNull(),
    message_text: text().notNull(),
    attempt_count: integer().notNull(),
    /** When it is sent next, or no outcome is expected any more; null when it has ended. */
    due_at: integer(),
    plan_id: text(),
    command_id: text(),
    last_error: text(),
    created_at: integer().notNull(),
    finished_at: integer(),
  },
  (t) => [index('task_notices_due').on(t.due_at).where(sql`due_at IS NOT NULL`)],
);
export type NoticeRow = typeof task_notices.$inferSelect;

/** Nodes, the fence that guards every claim, commands to nodes, and the events of the system. */
import { sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { Command } from '../contracts/commands.ts';
import { COMMAND_KINDS, COMMAND_STATES } from '../contracts/commands.ts';
import type { EventItem } from '../contracts/events.ts';
import type { LeaderTerm } from '../contracts/leader.ts';
import type { Node } from '../contracts/nodes.ts';
import { NODE_ROLES, NODE_STATES } from '../contracts/nodes.ts';
import type { FenceMarks } from '../contracts/system.ts';
import { SYSTEM_MODES } from '../contracts/system.ts';
import { json } from './json-column.ts';
import type { RowOf } from './row.ts';

export const nodes = sqliteTable(
  'nodes',
  {
    controller_id: text().primaryKey(),
    host: text().notNull(),
    role: text({ enum: NODE_ROLES }).notNull(),
    priority: integer().notNull(),
    status: text({ enum: NODE_STATES }).notNull(),
    version: text(),
    metadata: json<Record<string, unknown>>(() => ({})).notNull(),
    started_at: integer(),
    last_heartbeat_at: integer().notNull(),
    /** A person lets it claim no steps. */
    draining: integer({ mode: 'boolean' }).notNull().default(false),
    created_at: integer().notNull(),
  },
  (t) => [index('nodes_by_host').on(t.host)],
);

export type NodeRow = RowOf<typeof nodes, Node>;

/** One row (id 1): the term and the mode that D1 has. The objects raise it, and every guard reads it. */
export const fence = sqliteTable('fence', {
  id: integer().primaryKey(),
  term: integer().notNull(),
  holder_id: text(),
  mode: text({ enum: SYSTEM_MODES }).notNull(),
  mode_version: integer().notNull(),
  /** Only a person ends this pause. */
  hold: integer({ mode: 'boolean' }).notNull().default(false),
  epoch: integer().notNull(),
  updated_at: integer().notNull(),
});

export type FenceRow = RowOf<typeof fence, FenceMarks>;

export const leader_terms = sqliteTable('leader_terms', {
  term: integer().primaryKey(),
  holder_id: text().notNull(),
  holder_host: text().notNull(),
  acquired_at: integer().notNull(),
});

export type LeaderTermRow = RowOf<typeof leader_terms, LeaderTerm>;

/**
 * Always empty. A guard is `INSERT INTO guard (<name>) SELECT NULL … WHERE <violated>`: the NOT NULL constraint fails the
 * whole batch, and the error message names the column, and so the guard.
 */
export const guard = sqliteTable('guard', {
  stale_term: integer().notNull().default(0),
  system_paused: integer().notNull().default(0),
  /** What the decision relied upon has changed: read and decide again. */
  changed: integer().notNull().default(0),
  stale_run: integer().notNull().default(0),
  not_leader: integer().notNull().default(0),
});

export const commands = sqliteTable(
  'commands',
  {
    command_id: text().primaryKey(),
    controller_id: text().notNull(),
    kind: text({ enum: COMMAND_KINDS }).notNull(),
    body: json<Record<string, unknown>>(() => ({})).notNull(),
    status: text({ enum: COMMAND_STATES }).notNull(),
    code: text(),
    result: json<Record<string, unknown>>(() => ({})),
    created_at: integer().notNull(),
    expires_at: integer().notNull(),
    received_at: integer(),
    finished_at: integer(),
  },
  (t) => [
    index('commands_pending').on(t.controller_id, t.command_id).where(sql`status = 'pending'`),
    index('commands_open').on(t.expires_at).where(sql`status IN ('pending', 'received')`),
  ],
);

/** `body` has the shape of its kind; `CommandSchema` parses what is sent to a node. */
export type CommandRow = RowOf<typeof commands, Pick<Command, 'command_id' | 'kind'> & { body: object }>;

/** The events of the system, one row for all that a commit announces. The newest row stays, so `seq` only grows. */
export const event_batches = sqliteTable('event_batches', {
  seq: integer().primaryKey(),
  at: integer().notNull(),
  events: json<EventItem[]>(() => []).notNull(),
  /** How many instructions the commit has ended, by status; null for none. For the counters only. */
  ended: json<Record<string, number>>(() => null),
});

export type EventBatchRow = Omit<typeof event_batches.$inferSelect, 'ended'>;

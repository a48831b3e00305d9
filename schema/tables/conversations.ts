/** Conversations, the links by which they are reached, and the browsers ("clients") that show them. */
import { sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import type { Client, PlatformState } from '../contracts/clients.ts';
import { PLATFORM_IDS } from '../contracts/common.ts';
import type { Conversation, Link, TargetPayload } from '../contracts/conversations.ts';
import { AUTOMATION_STATUSES, PAUSE_REASONS, STATUS_SETTERS } from '../contracts/conversations.ts';
import type { Forgotten } from '../contracts/forget.ts';
import { NOTHING_FORGOTTEN } from '../contracts/forget.ts';
import { COOLDOWN_REASONS } from '../contracts/renewal-settings.ts';
import { json } from './json-column.ts';
import type { RowOf } from './row.ts';
import { HAS_STOP } from './stopped.ts';

/** A target that no browser is. */
const noTarget = (): TargetPayload => ({
  client_id: '',
  conversation_id: null,
  page_url: '',
  page_title: null,
  tab_id: null,
  shell_page: false,
});

export const clients = sqliteTable(
  'clients',
  {
    client_id: text().primaryKey(),
    controller_id: text().notNull(),
    connected: integer({ mode: 'boolean' }).notNull(),
    platforms: json<PlatformState[]>(() => []).notNull(),
    first_seen_at: integer(),
    updated_at: integer().notNull(),
  },
  (t) => [
    index('clients_by_time').on(t.updated_at),
    index('clients_by_node').on(t.controller_id),
    index('clients_stopped').on(t.client_id).where(sql.raw(HAS_STOP)),
  ],
);

export type ClientRow = RowOf<typeof clients, Client>;

export const local_conversations = sqliteTable(
  'local_conversations',
  {
    local_conversation_id: text().primaryKey(),
    platform: text({ enum: PLATFORM_IDS }).notNull(),
    remote_conversation_id: text().notNull(),
    automation_status: text({ enum: AUTOMATION_STATUSES }).notNull(),
    last_non_paused_automation_status: text({ enum: ['manual', 'auto'] }).notNull(),
    /** Who set the last status that was no pause; null for one that was never set. */
    status_set_by: text({ enum: STATUS_SETTERS }),
    pause_reason: text({ enum: PAUSE_REASONS }),
    paused_at: integer(),
    title: text(),
    last_message_id: text(),
    last_message_at: integer(),
    /** Counters of the circuit breaker. */
    execution_failures: integer().notNull().default(0),
    repeated_messages: integer().notNull().default(0),
    repeated_renewals: integer().notNull().default(0),
    renewals_without_effect: integer().notNull().default(0),
    renewals_in_row: integer().notNull().default(0),
    /** The hash of the message that was renewed last. */
    renewed_text_hash: text(),
    /** The day, in the conversation's time zone, that `renewals_that_day` counts. */
    renewals_day: text(),
    renewals_that_day: integer().notNull().default(0),
    cooldown_until: integer(),
    cooldown_reason: text({ enum: COOLDOWN_REASONS }),
    /** When the projector has to check the newest message again; null for never. */
    project_at: integer(),
    /** The operation of the question of a person that waits for its answer; null when none does. */
    open_ask: text(),
    /** For how many days its texts are kept, 0 for always; null: as the edge keeps those of all others. */
    texts_kept_days: integer(),
    /** What was said before this time is being removed; null when nothing is. */
    forget_before: integer(),
    /** What was said before this time is gone; null when nothing was removed. */
    forgotten_before: integer(),
    /** How many rows of each kind were removed or emptied, in all. */
    forgotten: json<Forgotten>(() => ({ ...NOTHING_FORGOTTEN })),
    created_at: integer().notNull(),
    updated_at: integer().notNull(),
  },
  (t) => [
    uniqueIndex('conversations_by_remote').on(t.platform, t.remote_conversation_id),
    index('conversations_to_project').on(t.project_at).where(sql`project_at IS NOT NULL`),
    index('conversations_to_forget').on(t.forget_before).where(sql`forget_before IS NOT NULL`),
    index('conversations_paused').on(t.paused_at).where(sql`paused_at IS NOT NULL`),
    // The few that are not manual, newest first.
    index('conversations_by_status')
      .on(t.automation_status, t.local_conversation_id)
      .where(sql`automation_status <> 'manual'`),
  ],
);

export type ConversationRow = RowOf<typeof local_conversations, Conversation>;

export const conversation_links = sqliteTable(
  'conversation_links',
  {
    link_id: text().primaryKey(),
    local_conversation_id: text().notNull(),
    platform: text({ enum: PLATFORM_IDS }).notNull(),
    remote_conversation_id: text().notNull(),
    client_id: text().notNull(),
    controller_id: text().notNull(),
    page_url: text().notNull(),
    page_title: text(),
    route_path: text().notNull(),
    route_pattern: text(),
    route_params: json<Record<string, string>>(() => ({})).notNull(),
    target_kind: text().notNull(),
    target_id: text().notNull(),
    target_payload: json<TargetPayload>(noTarget).notNull(),
    is_active: integer({ mode: 'boolean' }).notNull(),
    /** A hash of the account that was signed in when the link was created. */
    fingerprint: text(),
    observed_at: integer().notNull(),
    /** When a delivery by it last failed because the browser did not find the tab; null once it was seen again. */
    failed_at: integer(),
    created_at: integer().notNull(),
    updated_at: integer().notNull(),
  },
  (t) => [
    uniqueIndex('links_by_conversation').on(t.local_conversation_id, t.client_id),
    index('links_by_client').on(t.client_id, t.is_active),
  ],
);
export type LinkRow = RowOf<typeof conversation_links, Link>;

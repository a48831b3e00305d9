/** Notices to people: where they are sent, and what became of each. */
import { sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import type { NoticeSettings } from '../contracts/notices.ts';
import { NOTICE_CAUSES, NOTICE_FORMATS, NOTICE_LANGUAGES, PERSON_NOTICE_STATES } from '../contracts/notices.ts';
import { json } from './json-column.ts';

/** One row (id 1); none: notices are sent nowhere. */
export const notice_settings = sqliteTable('notice_settings', {
  id: integer().primaryKey(),
  address_origin: text().notNull(),
  /** Address and secret, encrypted with a key that the database does not have. */
  sealed: text().notNull(),
  has_secret: integer({ mode: 'boolean' }).notNull(),
  format: text({ enum: NOTICE_FORMATS }).notNull(),
  language: text({ enum: NOTICE_LANGUAGES }).notNull(),
  quiet_hours: json<NonNullable<NoticeSettings['quiet_hours']>>(() => null),
  time_zone: text().notNull(),
  page_origin: text().notNull(),
  updated_at: integer().notNull(),
});
export type NoticeSettingsRow = typeof notice_settings.$inferSelect;

/** A row for each object that began to wait. While it waits, `ended_at` is null, and no second row is made for it. */
export const person_notices = sqliteTable(
  'person_notices',
  {
    notice_id: text().primaryKey(),
    cause: text({ enum: NOTICE_CAUSES }).notNull(),
    object_id: text().notNull(),
    /** What else identifies the wait: the platform of a browser, the index of a step; empty when nothing does. */
    part: text().notNull(),
    /** When it began to wait. */
    since: integer().notNull(),
    state: text({ enum: PERSON_NOTICE_STATES }).notNull(),
    attempt_count: integer().notNull(),
    /** When the next try is due; null: there is none. */
    due_at: integer(),
    last_error: text(),
    created_at: integer().notNull(),
    sent_at: integer(),
    accepted_at: integer(),
    ended_at: integer(),
  },
  (t) => [
    uniqueIndex('person_notices_open').on(t.cause, t.object_id, t.part).where(sql`ended_at IS NULL`),
    index('person_notices_sent').on(t.notice_id).where(sql`state <> 'waiting'`),
  ],
);
export type PersonNoticeRow = typeof person_notices.$inferSelect;

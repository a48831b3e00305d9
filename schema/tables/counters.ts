/** What has happened so far, by the hour. */
import { integer, sqliteTable } from 'drizzle-orm/sqlite-core';
import { json } from './json-column.ts';

/**
 * A row for each hour in which something was counted. Its counters have grown since the beginning: what happened in an
 * hour is the difference to the row before, and the newest row, which is never deleted, has the totals.
 */
export const hourly_counters = sqliteTable('hourly_counters', {
  /** When the hour began, as Unix milliseconds. */
  hour: integer().primaryKey(),
  /** The newest commit in `event_batches` that is counted. */
  event_seq: integer().notNull(),
  counts: json<Record<string, number>>(() => ({})).notNull(),
});

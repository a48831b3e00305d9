/**
 * `retention`: deletes rows that are older than they are kept, the oldest first. Looking reads one row of each table; a
 * tick deletes a bounded number of rows, from the table that is longest overdue.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import { RETENTION } from '../../schema/defaults.ts';
import type { Runner } from './job.ts';
import { MORE } from './job.ts';

const MAX_PER_TICK = 200;

interface KeptTable {
  table: string;
  /** The key that orders rows by age. */
  key: string;
  age: string;
  keep_ms: number;
  /** A condition for rows that are never deleted. */
  unless: string;
}

/** The newest row stays, because SQLite would give its number to the next row. */
function isNewest(table: string, key: string): string {
  return `${key} = (SELECT max(${key}) FROM ${table})`;
}

const KEPT: readonly KeptTable[] = [
  {
    table: 'ticks',
    key: 'tick_seq',
    age: 'started_at',
    keep_ms: RETENTION.tick_ms,
    unless: isNewest('ticks', 'tick_seq'),
  },
  {
    table: 'event_batches',
    key: 'seq',
    age: 'at',
    keep_ms: RETENTION.event_ms,
    unless: isNewest('event_batches', 'seq'),
  },
  { table: 'idempotency_keys', key: 'rowid', age: 'created_at', keep_ms: RETENTION.idempotency_ms, unless: 'false' },
  { table: 'sign_in_links', key: 'rowid', age: 'created_at', keep_ms: RETENTION.sign_in_link_ms, unless: 'false' },
  // A session has ended by itself by then.
  { table: 'ended_sessions', key: 'rowid', age: 'ended_at', keep_ms: RETENTION.ended_session_ms, unless: 'false' },
  {
    table: 'person_notices',
    key: 'notice_id',
    age: 'created_at',
    keep_ms: RETENTION.person_notice_ms,
    unless: 'ended_at IS NULL',
  },
  // A question that old is asked again by a repeat of its operation.
  { table: 'asks', key: 'rowid', age: 'created_at', keep_ms: RETENTION.ask_ms, unless: 'finished_at IS NULL' },
  // None is valid by then: a grant lasts for hours.
  { table: 'grants', key: 'grant_id', age: 'created_at', keep_ms: RETENTION.grant_ms, unless: 'false' },
  {
    table: 'hourly_counters',
    key: 'hour',
    age: 'hour',
    keep_ms: RETENTION.counter_ms,
    unless: isNewest('hourly_counters', 'hour'),
  },
  {
    table: 'commands',
    key: 'command_id',
    age: 'created_at',
    keep_ms: RETENTION.event_ms,
    unless: "status IN ('pending', 'received')",
  },
];

export const retention: Runner = {
  name: 'retention',
  ordinary: false,
  queries: { base: 2 },
  async run({ db, now }) {
    const oldest = sql.join(
      KEPT.map(({ table, key, age, unless }) =>
        sql.raw(`(SELECT ${age} FROM ${table} WHERE NOT (${unless}) ORDER BY ${key} LIMIT 1) AS ${table}`),
      ),
      sql`, `,
    );
    const [ages] = await db.all<Record<string, number | null>>(sql`SELECT ${oldest}`);
    const overdueMs = ({ table, keep_ms }: KeptTable) => now - keep_ms - (ages?.[table] ?? now);
    const overdue = KEPT.filter((kept) => overdueMs(kept) > 0).sort((a, b) => overdueMs(b) - overdueMs(a));
    const [longest] = overdue;
    if (longest === undefined) return 'idle';
    await db.run(deleteOldest(longest, now));
    return overdue.length === 1 ? 'ok' : MORE;
  },
};

/** Rows that are never deleted are not counted: those behind them have their turn, however many they are. */
function deleteOldest({ table, key, age, keep_ms, unless }: KeptTable, now: number): SQL {
  const rows = sql.raw(`DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM
    (SELECT rowid, * FROM ${table} WHERE NOT (${unless}) ORDER BY ${key} LIMIT ${MAX_PER_TICK})`);
  return sql`${rows} WHERE ${sql.raw(age)} < ${now - keep_ms})`;
}

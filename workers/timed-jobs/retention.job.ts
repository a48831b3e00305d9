/**
 * `retention`: what is kept for a while goes after it, the oldest first and a bounded number at a time. Looking costs
 * a row a table; deleting happens only where the oldest row is too old.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import { RETENTION } from '../../schema/defaults.ts';
import type { Runner } from './job.ts';

const MAX_PER_TICK = 200;

interface Kept {
  table: string;
  /** The key by which rows are in the order of their age. */
  key: string;
  age: string;
  keep_ms: number;
  /** Rows that stay at any age. */
  unless: string;
}

/** The newest row stays, as SQLite would give its number to the next one. */
function isNewest(table: string, key: string): string {
  return `${key} = (SELECT max(${key}) FROM ${table})`;
}

const KEPT: readonly Kept[] = [
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
  async run({ db, now }) {
    const oldest = sql.join(
      KEPT.map(({ table, key, age, unless }) =>
        sql.raw(`(SELECT ${age} FROM ${table} WHERE NOT (${unless}) ORDER BY ${key} LIMIT 1) AS ${table}`),
      ),
      sql`, `,
    );
    const [ages] = await db.all<Record<string, number | null>>(sql`SELECT ${oldest}`);
    const overdue = KEPT.filter(({ table, keep_ms }) => (ages?.[table] ?? now) < now - keep_ms);
    for (const kept of overdue) await db.run(deleteOldest(kept, now));
    return overdue.length === 0 ? 'idle' : 'ok';
  },
};

function deleteOldest({ table, key, age, keep_ms, unless }: Kept, now: number): SQL {
  const rows = sql.raw(`DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM
    (SELECT rowid, * FROM ${table} ORDER BY ${key} LIMIT ${MAX_PER_TICK})`);
  return sql`${rows} WHERE ${sql.raw(age)} < ${now - keep_ms} AND NOT (${sql.raw(unless)}))`;
}

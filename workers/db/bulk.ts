/** Inserts many rows through one bound parameter, because D1 takes at most a hundred parameters per statement. */
import type { SQL } from 'drizzle-orm';
import { getTableName, sql } from 'drizzle-orm';
import type { SQLiteTable } from 'drizzle-orm/sqlite-core';
import type { Database, Statement } from './open.ts';

/**
 * Rows must have the same keys; JSON columns are given as values. No statement for no rows. `tail` adds conditions on a
 * row as JSON (`AND … value->>'column' …`) or an `ON CONFLICT` clause.
 */
export function insertRows<T extends SQLiteTable>(
  db: Database,
  table: T,
  rows: readonly T['$inferInsert'][],
  tail: SQL = sql``,
): Statement[] {
  const [first] = rows;
  if (first === undefined) return [];
  const names = Object.keys(first);
  const columns = sql.raw(names.map((name) => `"${name}"`).join(', '));
  const values = sql.raw(names.map((name) => `value->>'${name}'`).join(', '));
  return [
    db.run(sql`INSERT INTO ${sql.raw(getTableName(table))} (${columns})
      SELECT ${values} FROM json_each(${JSON.stringify(rows)}) WHERE true ${tail}`),
  ];
}

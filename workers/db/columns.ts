/** The columns that a contract shows, so that a row read with them is the API object and nothing more. */
import type { Table } from 'drizzle-orm';
import { getTableColumns, sql } from 'drizzle-orm';
import type { z } from 'zod';

type Columns<T extends Table> = T['_']['columns'];
type ContractColumns<T extends Table, S extends z.ZodObject> = Pick<Columns<T>, keyof z.output<S> & keyof Columns<T>>;

/** For `db.select(contractColumns(table, Schema))`. */
export function contractColumns<T extends Table, S extends z.ZodObject>(table: T, schema: S): ContractColumns<T, S> {
  const columns = Object.entries(getTableColumns(table)).filter(([name]) => name in schema.shape);
  return Object.fromEntries(columns) as ContractColumns<T, S>;
}

/**
 * Every column of a table under a name of its own, for a select that joins it with another one: D1 keys a row by the names of
 * its columns, so two of one name would be one.
 */
export function columnsUnder<T extends Table>(table: T, prefix: string): Columns<T> {
  const columns = Object.entries(getTableColumns(table)).map(([name, column]) => [
    name,
    sql`${column}`.mapWith(column).as(`${prefix}${name}`),
  ]);
  return Object.fromEntries(columns) as Columns<T>;
}

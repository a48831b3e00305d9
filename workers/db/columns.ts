/** Which columns a query reads: those that the contract shows, so that a row is the API object and nothing more. */
import type { Table } from 'drizzle-orm';
import { getTableColumns } from 'drizzle-orm';
import type { z } from 'zod';

type Columns<T extends Table> = T['_']['columns'];
type Shown<T extends Table, S extends z.ZodObject> = Pick<Columns<T>, keyof z.output<S> & keyof Columns<T>>;

/** For `db.select(shown(table, Schema))`. */
export function shown<T extends Table, S extends z.ZodObject>(table: T, schema: S): Shown<T, S> {
  const columns = Object.entries(getTableColumns(table)).filter(([name]) => name in schema.shape);
  return Object.fromEntries(columns) as Shown<T, S>;
}

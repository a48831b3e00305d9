/**
 * D1 through drizzle. D1 has no interactive transactions: a transaction is a batch, and every write goes through
 * commit.ts. This file sends batches itself, because drizzle's own `batch` cannot bind the parameters of a raw `sql`
 * statement (its `stmt` is undefined), and guards are such statements.
 */
import type { BatchItem } from 'drizzle-orm/batch';
import type { DrizzleD1Database } from 'drizzle-orm/d1';
import { drizzle } from 'drizzle-orm/d1';
import * as tables from '../../schema/tables/index.ts';
import type { D1Usage } from './usage.ts';
import { counted } from './usage.ts';

export type Database = Omit<DrizzleD1Database<typeof tables>, 'transaction'> & {
  /** Cost of all statements so far. */
  readonly usage: Readonly<D1Usage>;
};
export type Statement = BatchItem<'sqlite'>;

/** Members that every drizzle query has at run time but not in its types. */
interface Preparable {
  _prepare(): {
    getQuery(): { sql: string; params: unknown[] };
    mapResult(result: unknown, isFromBatch: boolean): unknown;
  };
}

export function openDatabase(binding: D1Database): Database {
  const usage: D1Usage = { queries: 0, rows_read: 0, rows_written: 0 };
  const client = counted(binding, usage);
  const batch = async (queries: readonly unknown[]): Promise<unknown[]> => {
    const prepared = queries.map((query) => (query as Preparable)._prepare());
    const results = await client.batch(
      prepared.map((query) => {
        const { sql, params } = query.getQuery();
        return binding.prepare(sql).bind(...params);
      }),
    );
    return results.map((result, at) => prepared[at]?.mapResult(result, true));
  };
  const db = drizzle(client as D1Database, { schema: tables });
  return Object.assign(db, { batch: batch as Database['batch'], usage });
}

/** Runs the statements as one transaction. */
export async function runBatch(db: Database, statements: readonly Statement[]): Promise<void> {
  const [first, ...rest] = statements;
  if (first) await db.batch([first, ...rest]);
}

/** D1 through drizzle. `db.transaction()` fails on D1: a transaction is a batch, and every write goes through commit.ts. */

import type { BatchItem } from 'drizzle-orm/batch';
import type { DrizzleD1Database } from 'drizzle-orm/d1';
import { drizzle } from 'drizzle-orm/d1';
import * as tables from '../schema/tables/index.ts';

export type Database = Omit<DrizzleD1Database<typeof tables>, 'transaction'>;
export type Statement = BatchItem<'sqlite'>;

export function openDatabase(binding: D1Database): Database {
  return drizzle(binding, { schema: tables });
}

/** Runs the statements as one transaction, all or none. */
export async function runBatch(db: Database, statements: readonly Statement[]): Promise<void> {
  const [first, ...rest] = statements;
  if (first) await db.batch([first, ...rest]);
}

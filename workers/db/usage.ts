/**
 * Counts what one opened database costs: the log line of a request and the last entry of a tick show it, and a tick
 * stops beginning work at its limit of statements. The isolate's meter counts the rows of all of them for a day. D1 reports rows with `all`, `run` and `batch`, but not with `raw`,
 * by which drizzle reads; so `raw` is made of `all` here. `all` keys each row by column name, so a query must not select
 * two columns of one name (test/workers/support/column-names.ts checks that of every query that a test runs).
 */
import { COUNTER } from '../../schema/domain/counters.ts';
import { METER } from './meter.ts';

/**
 * After so many statements a stream ends by itself, and its reader opens another one: the free plan allows an invocation 50.
 * What is left is for one more turn.
 */
export const STREAM_MAX_QUERIES = 40;

export interface D1Usage {
  /** Statements, each of a batch for itself. */
  queries: number;
  rows_read: number;
  rows_written: number;
}

type CountedStatement = Pick<D1PreparedStatement, 'all' | 'run'> & {
  bind(...values: unknown[]): CountedStatement;
  raw(): Promise<unknown[][]>;
};

/** The binding, adding to `usage` what D1 reports with each result. */
export function counted(binding: D1Database, usage: D1Usage): Pick<D1Database, 'prepare' | 'batch'> {
  const count = <T>(result: D1Result<T>): D1Result<T> => {
    usage.queries += 1;
    usage.rows_read += result.meta.rows_read;
    usage.rows_written += result.meta.rows_written;
    METER.add({
      [COUNTER.rows_read]: result.meta.rows_read,
      [COUNTER.rows_written]: result.meta.rows_written,
    });
    return result;
  };
  const statement = (inner: D1PreparedStatement): CountedStatement => ({
    bind: (...values) => statement(inner.bind(...values)),
    all: async <T>() => count(await inner.all<T>()),
    run: async <T>() => count(await inner.run<T>()),
    raw: async () => count(await inner.all<Record<string, unknown>>()).results.map((row) => Object.values(row)),
  });
  return {
    prepare: (sql) => statement(binding.prepare(sql)) as unknown as D1PreparedStatement,
    batch: async <T>(statements: D1PreparedStatement[]) => (await binding.batch<T>(statements)).map(count),
  };
}

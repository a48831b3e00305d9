/**
 * What a request or a tick cost in D1. D1 says with each full answer how many rows it read and wrote; this counts them
 * per opened database, so that the log line of a request and the last entry of a tick can say it. Bare values (`raw`)
 * come without that count, so they are made of a full answer here. A full answer is keyed by column name, where two
 * columns of one name would become one: a query that has such is refused, loudly.
 */

export interface D1Usage {
  /** Statements, each of a batch for itself. */
  queries: number;
  rows_read: number;
  rows_written: number;
}

/** The binding, adding to `usage` what D1 says of each answer. */
export function counted(binding: D1Database, usage: D1Usage): Pick<D1Database, 'prepare' | 'batch'> {
  const count = <T>(response: D1Result<T>): D1Result<T> => {
    usage.queries += 1;
    usage.rows_read += response.meta.rows_read;
    usage.rows_written += response.meta.rows_written;
    return response;
  };
  const statement = (inner: D1PreparedStatement, sql: string): Pick<D1PreparedStatement, 'all' | 'run'> & Bindable => ({
    bind: (...values) => statement(inner.bind(...values), sql),
    all: async <T>() => count(await inner.all<T>()),
    run: async <T>() => count(await inner.run<T>()),
    raw: async () => {
      const { results } = count(await inner.all<Record<string, unknown>>());
      const [first] = results;
      if (first !== undefined && Object.keys(first).length !== columnCount(sql)) {
        throw new Error(`two columns of one name, or none that can be counted: ${sql}`);
      }
      return results.map((row) => Object.values(row));
    },
  });
  return {
    prepare: (sql) => statement(binding.prepare(sql), sql) as unknown as D1PreparedStatement,
    batch: async <T>(statements: D1PreparedStatement[]) => (await binding.batch<T>(statements)).map(count),
  };
}

interface Bindable {
  bind(...values: unknown[]): unknown;
  raw(): Promise<unknown[][]>;
}

/** How many columns a query of the query builder selects: the commas before its `from`, those inside brackets aside. */
function columnCount(sql: string): number {
  let depth = 0;
  let columns = 1;
  for (const [token] of sql.matchAll(/[(),]|'[^']*'|"[^"]*"|\bfrom\b/gi)) {
    if (token === '(') depth += 1;
    else if (token === ')') depth -= 1;
    else if (depth === 0 && token === ',') columns += 1;
    else if (depth === 0 && token.toLowerCase() === 'from') break;
  }
  return columns;
}

/** D1 that counts its statements and the rows that they read and write. */
import { env } from 'cloudflare:workers';

const UNWRAP = Symbol('the wrapped statement');

/** One statement that wrote: its table, how many rows of it changed, and what D1 bills, index entries included. */
export interface Written {
  table: string;
  changed: number;
  rows: number;
}

export interface Counting {
  env: Env;
  rows(): number;
  queries(): number;
  /** The statements that wrote since the last call, in order. */
  takeWritten(): Written[];
}

export function counting(): Counting {
  let rows = 0;
  let queries = 0;
  let written: Written[] = [];
  const count = <T extends D1Result>(result: T, query: string): T => {
    const { rows_read, rows_written, changes } = result.meta;
    rows += rows_read;
    queries += 1;
    if (rows_written > 0) written.push({ table: writtenTable(query), changed: changes, rows: rows_written });
    return result;
  };
  const wrap = (statement: D1PreparedStatement, query: string): D1PreparedStatement =>
    new Proxy(statement, {
      get(target, key) {
        if (key === 'bind') return (...values: unknown[]) => wrap(target.bind(...values), query);
        if (key === 'all' || key === 'run') return async () => count(await target.all(), query);
        // D1 reports rows read with `all` only, so the statement runs once more for its count.
        if (key === 'raw') {
          return async () => {
            count(await target.all(), query);
            return target.raw();
          };
        }
        if (key === UNWRAP) return { target, query };
        return Reflect.get(target, key);
      },
    });
  const DB = new Proxy(env.DB, {
    get(target, key) {
      if (key === 'prepare') return (query: string) => wrap(target.prepare(query), query);
      if (key === 'batch') {
        return async (statements: D1PreparedStatement[]) => {
          const inner = statements.map((one) => Reflect.get(one, UNWRAP));
          const results = await target.batch(inner.map((one) => one.target));
          return results.map((result, at) => count(result, inner[at].query));
        };
      }
      return Reflect.get(target, key);
    },
  });
  const takeWritten = () => {
    const taken = written;
    written = [];
    return taken;
  };
  return { env: { ...env, DB }, rows: () => rows, queries: () => queries, takeWritten };
}

function writtenTable(query: string): string {
  const [, table] = /^\s*(?:insert into|update|delete from)\s+"?(\w+)/i.exec(query) ?? [];
  if (table === undefined) throw new Error(`no table is named by the statement that wrote: ${query}`);
  return table;
}

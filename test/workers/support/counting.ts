/** D1 that counts its statements and the rows that they read. */
import { env } from 'cloudflare:workers';

const UNWRAP = Symbol('the wrapped statement');

export interface Counting {
  env: Env;
  rows(): number;
  queries(): number;
}

export function counting(): Counting {
  let rows = 0;
  let queries = 0;
  const count = <T extends { meta: { rows_read?: number } }>(result: T): T => {
    rows += result.meta.rows_read ?? 0;
    queries += 1;
    return result;
  };
  const wrap = (statement: D1PreparedStatement): D1PreparedStatement =>
    new Proxy(statement, {
      get(target, key) {
        if (key === 'bind') return (...values: unknown[]) => wrap(target.bind(...values));
        if (key === 'all' || key === 'run') return async () => count(await target.all());
        // D1 reports rows read with `all` only, so the statement runs once more for its count.
        if (key === 'raw') {
          return async () => {
            count(await target.all());
            return target.raw();
          };
        }
        if (key === UNWRAP) return target;
        return Reflect.get(target, key);
      },
    });
  const DB = new Proxy(env.DB, {
    get(target, key) {
      if (key === 'prepare') return (query: string) => wrap(target.prepare(query));
      if (key === 'batch') {
        return async (statements: D1PreparedStatement[]) =>
          (await target.batch(statements.map((one) => Reflect.get(one, UNWRAP)))).map(count);
      }
      return Reflect.get(target, key);
    },
  });
  return { env: { ...env, DB }, rows: () => rows, queries: () => queries };
}

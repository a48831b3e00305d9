/**
 * Checks every query that a test runs. D1 keys a row by column name, so two columns of one name would become one, and
 * drizzle would read the others from the wrong place (workers/db/usage.ts). And a subselect among the fields of a query
 * names the table of each column (unqualified-columns.ts).
 */
import { env } from 'cloudflare:workers';
import { unqualifiedInSubselect } from './unqualified-columns.ts';

const checked = new Set<string>();

/** From now on a query fails when it selects two columns of one name, or a bare column in a subselect. */
export function checkColumnNames(): void {
  const statements = Object.getPrototypeOf(env.DB.prepare('SELECT 1'));
  const { all } = statements;
  statements.all = async function (this: D1PreparedStatement) {
    await requireDistinctColumns(this);
    return all.call(this);
  };
  const databases = Object.getPrototypeOf(env.DB);
  const { batch } = databases;
  databases.batch = async function (this: D1Database, list: D1PreparedStatement[]) {
    for (const statement of list) await requireDistinctColumns(statement);
    return batch.call(this, list);
  };
}

async function requireDistinctColumns(statement: D1PreparedStatement): Promise<void> {
  const sql = String(Reflect.get(statement, 'statement'));
  if (checked.has(sql) || !/^\s*(select|with)\b/i.test(sql) || /\b(insert|update|delete)\b/i.test(sql)) return;
  checked.add(sql);
  const bare = unqualifiedInSubselect(sql);
  if (bare !== null) throw new Error(`a subselect names the column ${bare} without its table: ${sql}`);
  const [names = []] = await statement.raw({ columnNames: true });
  const twice = names.filter((name, at) => names.indexOf(name) !== at);
  if (twice.length > 0) throw new Error(`the query selects ${twice.join(', ')} twice: ${sql}`);
}

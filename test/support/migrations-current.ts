/**
 * Fails when the tables have moved on without a migration: the newest snapshot drizzle-kit wrote must describe
 * the tables as they are. `npm run db:generate` writes the missing one. Reads only, needs no database.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { generateSQLiteDrizzleJson, generateSQLiteMigration } from 'drizzle-kit/api';

const root = new URL('../../', import.meta.url);
const metaDir = new URL('schema/migrations/meta/', root);
const tablesDir = new URL('schema/tables/', root);

const newest = readdirSync(metaDir)
  .filter((name) => name.endsWith('_snapshot.json'))
  .sort()
  .at(-1);
if (!newest) throw new Error('schema/migrations has no snapshot: run `npm run db:generate`');

const tableFiles = readdirSync(tablesDir).filter((name) => name.endsWith('.ts'));
const modules = await Promise.all(tableFiles.map((name) => import(new URL(name, tablesDir).href)));
const current = await generateSQLiteDrizzleJson(Object.assign({}, ...modules));
const missing = await generateSQLiteMigration(JSON.parse(readFileSync(new URL(newest, metaDir), 'utf8')), current);

if (missing.length > 0) {
  process.stderr.write(
    `schema/tables is ahead of ${newest}; run \`npm run db:generate\`. Missing:\n${missing.join('\n')}\n`,
  );
  process.exitCode = 1;
}

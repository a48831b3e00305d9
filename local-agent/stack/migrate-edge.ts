/**
 * Applies the numbered migrations to the local D1, as `wrangler d1 migrations apply` does: same files, same table
 * of names, each file with its name in one batch. So `npm run dev` finds a database that it knows.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Miniflare } from 'miniflare';
import { REPOSITORY } from './layout.ts';

const FOLDER = join(REPOSITORY, 'schema', 'migrations');

/** Returns the names that were applied now. */
export async function migrateEdge(edge: Miniflare): Promise<string[]> {
  const db = await edge.getD1Database('DB');
  await db.exec(
    'CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)',
  );
  const applied = await db.prepare('SELECT name FROM d1_migrations').all<{ name: string }>();
  const done = new Set(applied.results.map(({ name }) => name));
  const missing = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.sql') && !done.has(name))
    .sort();
  for (const name of missing) {
    const statements = readFileSync(join(FOLDER, name), 'utf8').split('--> statement-breakpoint');
    await db.batch([
      ...statements.map((statement) => db.prepare(statement)),
      db.prepare('INSERT INTO d1_migrations (name) VALUES (?)').bind(name),
    ]);
  }
  return missing;
}

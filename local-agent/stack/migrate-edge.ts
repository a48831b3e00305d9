/**
 * Applies the numbered migrations to the local D1 as `wrangler d1 migrations apply` does: the same files, the same table
 * of names, each file and its name in one batch. So wrangler's own commands can use the same database.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Miniflare } from 'miniflare';
import { REPOSITORY } from './layout.ts';

const FOLDER = join(REPOSITORY, 'schema', 'migrations');

/** Resolves with the names of the migrations that it has applied. */
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

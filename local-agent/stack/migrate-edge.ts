/**
 * Applies the numbered migrations to the local D1 as `wrangler d1 migrations apply` does: the same files, the same table
 * of names, each file and its name in one batch. So wrangler's own commands can use the same database.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Miniflare } from 'miniflare';
import { REPOSITORY } from './layout.ts';

const FOLDER = join(REPOSITORY, 'schema', 'migrations');

/** The database is of a newer version, whose rows this one might misread. */
export class NewerDatabase extends Error {
  override readonly name = 'NewerDatabase';
}

/** The migrations of this program that the database lacks, in order. @throws NewerDatabase when it has others */
export function missingMigrations(applied: readonly string[], files: readonly string[]): string[] {
  const unknown = applied.filter((name) => !files.includes(name));
  if (unknown.length > 0) {
    throw new NewerDatabase(
      `the database of this root was written by a newer version (it has ${unknown.join(', ')}); upgrade the conductor. Nothing was changed`,
    );
  }
  return files.filter((name) => !applied.includes(name));
}

/** Resolves with the names of the migrations that it has applied. @throws NewerDatabase */
export async function migrateEdge(edge: Miniflare): Promise<string[]> {
  const db = await edge.getD1Database('DB');
  await db.exec(
    'CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)',
  );
  const applied = await db.prepare('SELECT name FROM d1_migrations').all<{ name: string }>();
  const files = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  const missing = missingMigrations(
    applied.results.map(({ name }) => name),
    files,
  );
  for (const name of missing) {
    const statements = readFileSync(join(FOLDER, name), 'utf8').split('--> statement-breakpoint');
    await db.batch([
      ...statements.map((statement) => db.prepare(statement)),
      db.prepare('INSERT INTO d1_migrations (name) VALUES (?)').bind(name),
    ]);
  }
  return missing;
}

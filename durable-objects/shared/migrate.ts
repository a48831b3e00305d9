/**
 * Schema of one object's own SQLite. The list of migrations only grows: each object runs those that it has not run, once
 * and in order, and keeps what it ran. A list that differs from that (a migration that was edited, moved or removed, or
 * an object that a later version has written) is refused rather than misread.
 */
export interface Migration {
  /** Unique within the list, and kept for ever. */
  id: string;
  /** One or more statements. */
  sql: string;
}

/** Brings the object's schema up to date. Called in the constructor, so nothing is served before. */
export function migrate(storage: DurableObjectStorage, migrations: readonly Migration[]): void {
  const { sql } = storage;
  sql.exec(
    'CREATE TABLE IF NOT EXISTS migrations (step INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, sql TEXT NOT NULL)',
  );
  const applied = sql.exec<{ id: string; sql: string }>('SELECT id, sql FROM migrations ORDER BY step').toArray();
  for (const [index, ran] of applied.entries()) checkUnchanged(ran, migrations[index]);
  storage.transactionSync(() => {
    for (const migration of migrations.slice(applied.length)) {
      sql.exec(migration.sql);
      sql.exec('INSERT INTO migrations (id, sql) VALUES (?, ?)', migration.id, migration.sql);
    }
  });
}

function checkUnchanged(ran: Migration, known: Migration | undefined): void {
  if (known === undefined)
    throw new Error(`this object ran the migration "${ran.id}", which this version does not have`);
  if (known.id !== ran.id) {
    throw new Error(
      `this object ran the migration "${ran.id}" where this version has "${known.id}": the list only grows`,
    );
  }
  if (known.sql !== ran.sql) throw new Error(`the migration "${ran.id}" was edited after this object ran it`);
}

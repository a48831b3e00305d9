/**
 * Schema of one object's own SQLite. Steps are an append-only list: a step that has shipped is never edited, removed
 * or moved, new ones go to the end, and each object runs those it has not seen, once, in order. An object that has
 * seen more steps than this code knows was written by a later version: it is refused rather than misread.
 */
export type Migration = (sql: SqlStorage) => void;

/** Brings the object's schema up to date. Called in the constructor, so nothing is served before. */
export function migrate(storage: DurableObjectStorage, steps: readonly Migration[]): void {
  const { sql } = storage;
  sql.exec('CREATE TABLE IF NOT EXISTS migrations (step INTEGER PRIMARY KEY)');
  const done = Number(sql.exec('SELECT COUNT(*) AS done FROM migrations').one().done);
  if (done > steps.length) throw new Error(`object has ${done} schema steps, this version knows ${steps.length}`);
  storage.transactionSync(() => {
    steps.slice(done).forEach((step, offset) => {
      step(sql);
      sql.exec('INSERT INTO migrations (step) VALUES (?)', done + offset + 1);
    });
  });
}

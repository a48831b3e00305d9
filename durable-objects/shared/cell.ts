/**
 * One value of an object, kept in its SQLite and in memory. `set` writes without awaiting, so a decision and its write
 * are one turn and everything written in a turn is one commit; the platform holds back the answer until it is durable.
 * What is read after a cold start is parsed: a value that does not fit its schema is a bug, not a default.
 */
import type { ZodType } from 'zod';
import type { Migration } from './migrate.ts';

export const createCells: Migration = (sql) => {
  sql.exec('CREATE TABLE cells (name TEXT PRIMARY KEY, value TEXT NOT NULL)');
};

export class PersistedValue<T> {
  readonly #sql: SqlStorage;
  readonly #name: string;
  #value: T;

  /** `fresh` is the value of an object that has never stored one. */
  constructor(sql: SqlStorage, name: string, schema: ZodType<T>, fresh: T) {
    this.#sql = sql;
    this.#name = name;
    const [row] = sql.exec<{ value: string }>('SELECT value FROM cells WHERE name = ?', name).toArray();
    this.#value = row ? schema.parse(JSON.parse(row.value)) : fresh;
  }

  get(): T {
    return this.#value;
  }

  /** Stores the value, unless it is the one that is there. */
  set(value: T): void {
    if (value === this.#value) return;
    this.#sql.exec(
      'INSERT INTO cells (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      this.#name,
      JSON.stringify(value),
    );
    this.#value = value;
  }
}

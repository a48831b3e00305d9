/**
 * One value of an object, kept in its SQLite and in memory. `set` writes without awaiting, so a decision and its write
 * are one turn, and all writes of a turn are one commit; the platform holds back the response until it is durable. The
 * value is parsed when it is read after a cold start: one that does not fit its schema is a bug, not a default.
 */
import type { ZodType } from 'zod';
import type { Migration } from './migrate.ts';

export const CREATE_PERSISTED_VALUES: Migration = {
  id: 'persisted-values',
  sql: 'CREATE TABLE persisted_values (name TEXT PRIMARY KEY, value TEXT NOT NULL)',
};

export class PersistedValue<T> {
  readonly #sql: SqlStorage;
  readonly #name: string;
  #value: T;

  /** `initial` is the value of an object that has stored none. */
  constructor(sql: SqlStorage, name: string, schema: ZodType<T>, initial: T) {
    this.#sql = sql;
    this.#name = name;
    const [row] = sql.exec<{ value: string }>('SELECT value FROM persisted_values WHERE name = ?', name).toArray();
    this.#value = row ? schema.parse(JSON.parse(row.value)) : initial;
  }

  get(): T {
    return this.#value;
  }

  /** Stores the value, unless it is the same object. */
  set(value: T): void {
    if (value === this.#value) return;
    this.#sql.exec(
      'INSERT INTO persisted_values (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      this.#name,
      JSON.stringify(value),
    );
    this.#value = value;
  }
}

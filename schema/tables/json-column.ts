/**
 * JSON columns. A row whose JSON was damaged, by a restore or by hand, must not make every list that shows it fail: such
 * a column reads as `fallback`, which says nothing that could be acted upon, and `unreadableColumns` names it.
 */
import { customType } from 'drizzle-orm/sqlite-core';
import { readJson } from '../json-text.ts';

const unreadable = new WeakSet<object>();

/**
 * A column that keeps a `T` as JSON. `fallback` makes the value of a row that holds no JSON any more; null only for a
 * column that may be null.
 */
export function json<T extends object>(fallback: () => T | null) {
  return customType<{ data: T; driverData: string }>({
    dataType: () => 'text',
    toDriver: (value) => JSON.stringify(value),
    fromDriver(stored) {
      const read = readJson(String(stored));
      if (read.ok && typeof read.value === 'object' && read.value !== null) return read.value as T;
      const value = fallback();
      if (value !== null) unreadable.add(value);
      return value as T;
    },
  })();
}

/** The names of the row's columns that could not be read. */
export function unreadableColumns(row: object): string[] {
  return Object.entries(row).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null && unreadable.has(value) ? [name] : [],
  );
}

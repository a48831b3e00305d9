/** A full disk, as SQLite reports it. */
import { DatabaseSync } from 'node:sqlite';
import type { Store } from '../../local-agent/store/store.ts';

/** The error of a write that finds no space, from SQLite itself. */
export function diskFullError(): unknown {
  const db = new DatabaseSync(':memory:');
  try {
    db.exec('CREATE TABLE t (x); PRAGMA max_page_count = 2');
    db.exec('INSERT INTO t VALUES (zeroblob(100000))');
    return null;
  } catch (error) {
    return error;
  } finally {
    db.close();
  }
}

/** Makes every transaction of a store fail while `isFull` is true. */
export function makeDiskOf(store: Store): { isFull: boolean } {
  const disk = { isFull: false };
  const transaction = store.transaction.bind(store);
  store.transaction = (fn) => {
    if (disk.isFull) throw diskFullError();
    return transaction(fn);
  };
  return disk;
}

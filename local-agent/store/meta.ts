/** Small named facts of this node that survive a restart. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';

const ValueRow = z.object({ value: z.string() });

export class Meta {
  readonly #get: StatementSync;
  readonly #set: StatementSync;

  constructor(db: DatabaseSync) {
    this.#get = db.prepare('SELECT value FROM meta WHERE key = ?');
    this.#set = db.prepare(
      'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    );
  }

  get(key: string): string | null {
    const row = this.#get.get(key);
    return row === undefined ? null : ValueRow.parse(row).value;
  }

  set(key: string, value: string): void {
    this.#set.run(key, value);
  }
}

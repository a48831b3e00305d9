/** What a hub keeps: the numbers that its pong carries, and when each node was last in contact. */
import { z } from 'zod';
import type { Migration } from '../shared/migrate.ts';
import { migrate } from '../shared/migrate.ts';
import { CREATE_PERSISTED_VALUES, PersistedValue } from '../shared/persisted-value.ts';

const MIGRATIONS: readonly Migration[] = [
  CREATE_PERSISTED_VALUES,
  {
    id: 'contacts',
    sql: 'CREATE TABLE contacts (controller_id TEXT PRIMARY KEY, last_contact_at INTEGER NOT NULL)',
  },
];

const SeenSchema = z
  .object({ mode_version: z.number().int().nonnegative(), term: z.number().int().nonnegative() })
  .nullable();
/** Mode version and term as announced last; null while this hub has received none. */
export type Seen = z.infer<typeof SeenSchema>;

export class HubStore {
  readonly #sql: SqlStorage;
  readonly #seen: PersistedValue<Seen>;

  constructor(storage: DurableObjectStorage) {
    migrate(storage, MIGRATIONS);
    this.#sql = storage.sql;
    this.#seen = new PersistedValue<Seen>(storage.sql, 'seen', SeenSchema, null);
  }

  get seen(): Seen {
    return this.#seen.get();
  }

  /** Keeps the higher numbers: an outdated announcement changes nothing. True when one grew. */
  learn(modeVersion: number, term: number): boolean {
    const seen = this.#seen.get();
    const next = {
      mode_version: Math.max(modeVersion, seen?.mode_version ?? 0),
      term: Math.max(term, seen?.term ?? 0),
    };
    if (next.mode_version === seen?.mode_version && next.term === seen.term) return false;
    this.#seen.set(next);
    return true;
  }

  /** Stores a contact, unless a later one is stored. */
  touch(nodeId: string, at: number): void {
    this.#sql.exec(
      `INSERT INTO contacts (controller_id, last_contact_at) VALUES (?1, ?2)
       ON CONFLICT (controller_id) DO UPDATE SET last_contact_at = max(last_contact_at, excluded.last_contact_at)`,
      nodeId,
      at,
    );
  }

  lastContactAt(nodeId: string): number | null {
    const [row] = this.#sql
      .exec<{ last_contact_at: number }>('SELECT last_contact_at FROM contacts WHERE controller_id = ?', nodeId)
      .toArray();
    return row?.last_contact_at ?? null;
  }
}

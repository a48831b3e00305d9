/** What a hub keeps: the numbers that its pong carries, when each node was last in contact, and which process is it. */
import { z } from 'zod';
import type { AdmittedBoot } from '../../schema/domain/boots.ts';
import type { Migration } from '../shared/migrate.ts';
import { migrate } from '../shared/migrate.ts';
import { CREATE_PERSISTED_VALUES, PersistedValue } from '../shared/persisted-value.ts';

const MIGRATIONS: readonly Migration[] = [
  CREATE_PERSISTED_VALUES,
  {
    id: 'contacts',
    sql: 'CREATE TABLE contacts (controller_id TEXT PRIMARY KEY, last_contact_at INTEGER NOT NULL)',
  },
  {
    id: 'boots',
    sql: 'CREATE TABLE boots (controller_id TEXT PRIMARY KEY, boot_id TEXT NOT NULL, seen_at INTEGER NOT NULL)',
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

  /** The process that the edge has admitted as that node last; null when none has said which it is. */
  bootOf(nodeId: string): AdmittedBoot | null {
    const [row] = this.#sql
      .exec<{ boot_id: string; seen_at: number }>('SELECT boot_id, seen_at FROM boots WHERE controller_id = ?', nodeId)
      .toArray();
    return row ?? null;
  }

  keepBoot(nodeId: string, { boot_id, seen_at }: AdmittedBoot): void {
    this.#sql.exec(
      `INSERT INTO boots (controller_id, boot_id, seen_at) VALUES (?1, ?2, ?3)
       ON CONFLICT (controller_id) DO UPDATE SET boot_id = excluded.boot_id, seen_at = excluded.seen_at`,
      nodeId,
      boot_id,
      seen_at,
    );
  }

  forgetBoot(nodeId: string): void {
    this.#sql.exec('DELETE FROM boots WHERE controller_id = ?', nodeId);
  }

  lastContactAt(nodeId: string): number | null {
    const [row] = this.#sql
      .exec<{ last_contact_at: number }>('SELECT last_contact_at FROM contacts WHERE controller_id = ?', nodeId)
      .toArray();
    return row?.last_contact_at ?? null;
  }
}

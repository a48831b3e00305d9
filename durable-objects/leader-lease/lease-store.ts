/** What LeaderLease keeps: the record, the term it granted last, and how far D1's fence has followed. One row. */
import { z } from 'zod';
import type { LeaderTerm, LeaseRecord } from '../../schema/contracts/leader.ts';
import { LeaderTermSchema, LeaseRecordSchema } from '../../schema/contracts/leader.ts';
import { LEASE } from '../../schema/defaults.ts';
import { adoptTerm, freshLease } from '../../schema/domain/lease.ts';
import { createCells, PersistedValue } from '../shared/cell.ts';
import type { Migration } from '../shared/migrate.ts';
import { migrate } from '../shared/migrate.ts';

const MIGRATIONS: readonly Migration[] = [createCells];

const StoredLeaseSchema = z.object({
  record: LeaseRecordSchema,
  granted: LeaderTermSchema.nullable(),
  fenced_term: z.number().int().nonnegative(),
});
type StoredLease = z.infer<typeof StoredLeaseSchema>;

export class LeaseStore {
  readonly #cell: PersistedValue<StoredLease>;

  constructor(storage: DurableObjectStorage) {
    migrate(storage, MIGRATIONS);
    const fresh: StoredLease = { record: freshLease(LEASE.name), granted: null, fenced_term: 0 };
    this.#cell = new PersistedValue(storage.sql, 'lease', StoredLeaseSchema, fresh);
  }

  get record(): LeaseRecord {
    return this.#cell.get().record;
  }

  /** The granted term that D1 has not confirmed yet; null when it stands where this object stands. */
  get unfenced(): LeaderTerm | null {
    const { granted, fenced_term } = this.#cell.get();
    return granted && granted.term > fenced_term ? granted : null;
  }

  /** Stores the record; a term that is new is remembered with its holder until D1 has it. */
  save(record: LeaseRecord): void {
    const stored = this.#cell.get();
    if (record === stored.record) return;
    const { term, holder_id, holder_host, renewed_at } = record;
    const isNew = term > stored.record.term && holder_id !== null && holder_host !== null;
    const granted = isNew ? { term, holder_id, holder_host, acquired_at: renewed_at } : stored.granted;
    this.#cell.set({ ...stored, record, granted });
  }

  markFenced(term: number): void {
    const stored = this.#cell.get();
    this.#cell.set({ ...stored, fenced_term: Math.max(stored.fenced_term, term) });
  }

  /** The highest term that D1 has confirmed. */
  get fencedTerm(): number {
    return this.#cell.get().fenced_term;
  }

  /** D1 has lost what it had confirmed: the last granted term is to be raised anew. */
  unmarkFenced(term: number): void {
    const stored = this.#cell.get();
    this.#cell.set({ ...stored, fenced_term: Math.min(stored.fenced_term, term) });
  }

  /** D1 is ahead: nobody leads, and the next term is one that D1 has not seen. */
  adopt(term: number): void {
    const stored = this.#cell.get();
    this.#cell.set({
      record: adoptTerm(stored.record, term),
      granted: null,
      fenced_term: Math.max(term, stored.fenced_term),
    });
  }
}

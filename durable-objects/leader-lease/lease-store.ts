/** What LeaderLease keeps: the record, the last granted term, and the highest term that D1 has confirmed. One row. */
import { z } from 'zod';
import type { LeaderTerm, LeaseRecord } from '../../schema/contracts/leader.ts';
import { LeaderTermSchema, LeaseRecordSchema } from '../../schema/contracts/leader.ts';
import { LEASE } from '../../schema/defaults.ts';
import { adoptTerm, newLease } from '../../schema/domain/lease.ts';
import { migrate } from '../shared/migrate.ts';
import { CREATE_PERSISTED_VALUES, PersistedValue } from '../shared/persisted-value.ts';

const StoredLeaseSchema = z.object({
  record: LeaseRecordSchema,
  granted: LeaderTermSchema.nullable(),
  fenced_term: z.number().int().nonnegative(),
});
type StoredLease = z.infer<typeof StoredLeaseSchema>;

export class LeaseStore {
  readonly #stored: PersistedValue<StoredLease>;

  constructor(storage: DurableObjectStorage) {
    migrate(storage, [CREATE_PERSISTED_VALUES]);
    const initial: StoredLease = { record: newLease(LEASE.name), granted: null, fenced_term: 0 };
    this.#stored = new PersistedValue(storage.sql, 'lease', StoredLeaseSchema, initial);
  }

  get record(): LeaseRecord {
    return this.#stored.get().record;
  }

  /** The granted term that D1 has not confirmed; null when D1 has confirmed it. */
  get unfenced(): LeaderTerm | null {
    const { granted, fenced_term } = this.#stored.get();
    return granted && granted.term > fenced_term ? granted : null;
  }

  /** The highest term that D1 has confirmed. */
  get fencedTerm(): number {
    return this.#stored.get().fenced_term;
  }

  /** Stores the record. A new term is kept with its holder until D1 has confirmed it. */
  save(record: LeaseRecord): void {
    const stored = this.#stored.get();
    if (record === stored.record) return;
    const { term, holder_id, holder_host, renewed_at } = record;
    const isNew = term > stored.record.term && holder_id !== null && holder_host !== null;
    const granted = isNew ? { term, holder_id, holder_host, acquired_at: renewed_at } : stored.granted;
    this.#stored.set({ ...stored, record, granted });
  }

  /** D1 has confirmed `term`. */
  markFenced(term: number): void {
    const stored = this.#stored.get();
    this.#stored.set({ ...stored, fenced_term: Math.max(stored.fenced_term, term) });
  }

  /** D1 was restored and has only `term`: the last granted term has to be raised again. */
  unmarkFenced(term: number): void {
    const stored = this.#stored.get();
    this.#stored.set({ ...stored, fenced_term: Math.min(stored.fenced_term, term) });
  }

  /** D1 is ahead: no node leads, and the next term is one that D1 has not seen. */
  adopt(term: number): void {
    const stored = this.#stored.get();
    this.#stored.set({
      record: adoptTerm(stored.record, term),
      granted: null,
      fenced_term: Math.max(term, stored.fenced_term),
    });
  }
}

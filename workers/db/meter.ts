/**
 * What this isolate has counted and not stored yet: rows of D1, durations of ticks. store-meter.ts stores it at most once a
 * minute, which costs one row; an isolate that the platform ends loses what it has counted since.
 */
import type { Counts } from '../../schema/domain/counters.ts';
import { addCounts } from '../../schema/domain/counters.ts';

const STORE_INTERVAL_MS = 60_000;

export class Meter {
  #counts: Counts = {};
  #takenAt = Number.NEGATIVE_INFINITY;

  add(counts: Counts): void {
    this.#counts = addCounts(this.#counts, counts);
  }

  /** What to store now; null when there is nothing, and for a minute after the last time. */
  take(now: number): Counts | null {
    if (now - this.#takenAt < STORE_INTERVAL_MS || Object.keys(this.#counts).length === 0) return null;
    const taken = this.#counts;
    this.#counts = {};
    this.#takenAt = now;
    return taken;
  }
}

/** That of this isolate. */
export const METER = new Meter();

/** Which texts are old enough to be removed. The edge walks the messages in the order of their arrival, once for each period. */
import type { TextsKept } from '../contracts/keeping.ts';
import { TEXTS_KEPT_DAYS } from '../contracts/keeping.ts';

const DAY_MS = 86_400_000;
/** As a conversation stores `always`; nothing stored is the default. */
const ALWAYS = 0;

export type Period = (typeof TEXTS_KEPT_DAYS)[number];

export const storedDays = (kept: TextsKept): number => (kept === 'always' ? ALWAYS : kept);

/** The setting that applies, from what the conversation stores. A number that no period is counts as the longest one. */
export function keptOf(stored: number | null, fallback: TextsKept): TextsKept {
  if (stored === null) return fallback;
  if (stored === ALWAYS) return 'always';
  return TEXTS_KEPT_DAYS.find((days) => days === stored) ?? 365;
}

/** A text that came before this time is older than the period. */
export const cutoff = (period: Period, now: number): number => now - period * DAY_MS;

/** The period whose next message is overdue for longest; null when none is. `next` has the arrival of each one's next message. */
export function overduePeriod(next: Readonly<Record<Period, number | null>>, now: number): Period | null {
  const overdueMs = (period: Period): number => cutoff(period, now) - (next[period] ?? now);
  const [longest] = [...TEXTS_KEPT_DAYS].sort((a, b) => overdueMs(b) - overdueMs(a));
  return longest !== undefined && overdueMs(longest) > 0 ? longest : null;
}

/**
 * Whether the walk of the period removes a text that is older than it: a shorter setting too, as one that was busy when the walk
 * of its own period passed it has another turn.
 */
export const isDue = (period: Period, kept: TextsKept): boolean => kept !== 'always' && kept <= period;

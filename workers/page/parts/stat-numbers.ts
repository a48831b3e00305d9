/** What the pictures draw, out of the hours and days that the edge has counted. */
import type { CountedOutcome, Histogram, StatsDay, StatsHour } from '../../../schema/contracts/stats.ts';

/** The order from below: what went well first. */
export const DRAWN_OUTCOMES: readonly CountedOutcome[] = ['delivered', 'deferred', 'uncertain', 'failed', 'given_up'];

/** How many deliveries of each outcome an hour had. */
export function outcomesOf({ deliveries }: StatsHour): Record<CountedOutcome, number> {
  const sums: Record<CountedOutcome, number> = { delivered: 0, deferred: 0, uncertain: 0, failed: 0, given_up: 0 };
  for (const { outcome, count } of deliveries) sums[outcome] += count;
  return sums;
}

/** The tops of bars that lie one on the other, for each outcome in the order in which they are drawn: the highest first. */
export function stackedOutcomes(hours: readonly StatsHour[]): { outcome: CountedOutcome; tops: number[] }[] {
  const sums = hours.map(outcomesOf);
  return DRAWN_OUTCOMES.map((outcome, at) => {
    const below = DRAWN_OUTCOMES.slice(0, at + 1);
    return { outcome, tops: sums.map((one) => below.reduce((sum, name) => sum + one[name], 0)) };
  }).reverse();
}

/**
 * Below which time that part of all values lies, in milliseconds, taking the values of a bucket as evenly spread. Null
 * without values. Of those above the last bound nothing is known but the bound.
 */
export function quantileMs({ count, buckets }: Histogram, part: number): number | null {
  if (count === 0) return null;
  const wanted = count * part;
  let below = 0;
  let from = 0;
  for (const { le_ms, count: inside } of buckets) {
    if (le_ms === null) break;
    if (inside > 0 && below + inside >= wanted) return from + ((le_ms - from) * (wanted - below)) / inside;
    below += inside;
    from = le_ms;
  }
  return from;
}

/** How much of the free plan's rows of a day were used, in percent. */
export function partOfPlan(
  { rows_read, rows_written }: Pick<StatsDay, 'rows_read' | 'rows_written'>,
  plan: { rows_read: number; rows_written: number },
): { read: number; written: number } {
  return { read: (100 * rows_read) / plan.rows_read, written: (100 * rows_written) / plan.rows_written };
}

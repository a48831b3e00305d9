import { describe, expect, it } from 'vitest';
import type { Histogram, StatsHour } from '../../../schema/contracts/stats.ts';
import { partOfPlan, quantileMs, stackedOutcomes } from '../../../workers/page/parts/stat-numbers.ts';

const none: Histogram = { count: 0, sum_ms: 0, buckets: [] };
const hour = (deliveries: StatsHour['deliveries']): StatsHour => ({ hour: 0, deliveries, lateness: none, ticks: none });

describe('the deliveries of hours', () => {
  it('lie one on the other, over all kinds, and the highest is drawn first', () => {
    const hours = [
      hour([
        { kind: 'reply', outcome: 'delivered', count: 2 },
        { kind: 'renewal', outcome: 'delivered', count: 1 },
        { kind: 'renewal', outcome: 'failed', count: 4 },
      ]),
      hour([]),
    ];
    expect(stackedOutcomes(hours)).toEqual([
      { outcome: 'given_up', tops: [7, 0] },
      { outcome: 'failed', tops: [7, 0] },
      { outcome: 'uncertain', tops: [3, 0] },
      { outcome: 'deferred', tops: [3, 0] },
      { outcome: 'delivered', tops: [3, 0] },
    ]);
  });
});

describe('the time within which a part of the renewals left', () => {
  const histogram: Histogram = {
    count: 10,
    sum_ms: 0,
    buckets: [
      { le_ms: 100, count: 4 },
      { le_ms: 200, count: 0 },
      { le_ms: 400, count: 4 },
      { le_ms: null, count: 2 },
    ],
  };

  it.each([
    [0.2, 50],
    [0.4, 100],
    [0.5, 250],
    [0.8, 400],
    [0.95, 400],
  ])('%d of them: %d ms', (part, ms) => {
    expect(quantileMs(histogram, part)).toBe(ms);
  });

  it('is unknown for an hour without any', () => {
    expect(quantileMs(none, 0.5)).toBeNull();
  });
});

describe('the rows of a day', () => {
  it('are a part of the plan in percent', () => {
    const plan = { rows_read: 5_000_000, rows_written: 100_000 };
    expect(partOfPlan({ rows_read: 50_000, rows_written: 150_000 }, plan)).toEqual({ read: 1, written: 150 });
  });
});

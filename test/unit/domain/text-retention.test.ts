/** Which texts are old enough to be removed. */
import { describe, expect, it } from 'vitest';
import { cutoff, isDue, keptOf, overduePeriod, storedDays } from '../../../schema/domain/text-retention.ts';

const DAY = 86_400_000;
const NOW = 1_000 * DAY;
const NONE = { 7: null, 30: null, 90: null, 365: null };

describe('for how long texts are kept', () => {
  it.each([
    ['nothing set', null, 90, 90],
    ['a period', 30, 90, 30],
    ['always', 0, 90, 'always'],
    ['a period while the edge keeps everything', 7, 'always', 7],
    ['a number that no period is', 31, 90, 365],
  ] as const)('%s', (_, stored, fallback, kept) => expect(keptOf(stored, fallback)).toBe(kept));

  it('what is stored reads back as it was set', () => {
    for (const kept of [7, 30, 90, 365, 'always'] as const) expect(keptOf(storedDays(kept), 90)).toBe(kept);
  });
});

describe('the walks', () => {
  it('none is overdue while the next message of each is young enough, or there is none', () => {
    expect(overduePeriod(NONE, NOW)).toBeNull();
    expect(overduePeriod({ ...NONE, 30: NOW - 30 * DAY }, NOW)).toBeNull();
  });

  it('the one that is overdue for longest is next', () => {
    const next = { 7: NOW - 9 * DAY, 30: NOW - 33 * DAY, 90: NOW - 91 * DAY, 365: NOW - 100 * DAY };
    expect(overduePeriod(next, NOW)).toBe(30);
  });

  it('remove texts of their own period and of shorter ones, and none that is kept for longer', () => {
    expect([7, 30, 90, 365, 'always'].map((kept) => isDue(30, kept as 7 | 'always'))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(cutoff(7, NOW)).toBe(NOW - 7 * DAY);
  });
});

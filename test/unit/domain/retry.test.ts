import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RENEWAL } from '../../../schema/defaults.ts';
import { RENEWAL_BACKOFF, retryDelayMs } from '../../../schema/domain/retry.ts';

describe('the delay before the next attempt', () => {
  it.each([
    [1, 30_000],
    [2, 60_000],
    [3, 120_000],
    [4, 240_000],
    [5, 300_000],
    [9, 300_000],
  ])('after attempt %i is %i ms in the middle of its jitter', (attempt, delayMs) => {
    expect(retryDelayMs(attempt, RENEWAL_BACKOFF, 0.5)).toBe(delayMs);
  });

  it('varies by a fifth to either side and no more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const middle = Math.min(RENEWAL.retry_base_ms * 2 ** (attempt - 1), RENEWAL.retry_max_ms);
        const delayMs = retryDelayMs(attempt, RENEWAL_BACKOFF, random);
        expect(delayMs).toBeGreaterThanOrEqual(Math.floor(middle * 0.8));
        expect(delayMs).toBeLessThanOrEqual(Math.ceil(middle * 1.2));
      }),
    );
  });

  it('with full jitter is anywhere between nothing and the whole delay', () => {
    const backoff = { base_ms: 500, max_ms: 30_000, jitter: 'full' } as const;
    expect([0, 0.5, 0.999].map((random) => retryDelayMs(3, backoff, random))).toEqual([0, 1_000, 1_998]);
  });

  it('without jitter does not depend on chance, and is bounded however often it failed', () => {
    const backoff = { base_ms: 500, max_ms: 30_000, jitter: 0 };
    expect([0, 0.999].map((random) => retryDelayMs(2, backoff, random))).toEqual([1_000, 1_000]);
    expect(retryDelayMs(5_000, backoff, 0.3)).toBe(30_000);
  });
});

import { describe, expect, it } from 'vitest';
import { dollarsPerMillion, freeShare, paidMonth } from '../../bench/cost/prices.ts';

const NOTHING = {
  worker_requests: 0,
  object_requests: 0,
  socket_messages: 0,
  d1_rows_read: 0,
  d1_rows_written: 0,
  object_rows_read: 0,
  object_rows_written: 0,
};
const MILLION = 1_000_000;

describe('the price of a month', () => {
  it('is the base price while everything is included', () => {
    expect(paidMonth({ ...NOTHING, worker_requests: 5 * MILLION, d1_rows_written: 50 * MILLION })).toBe(5);
  });

  it('grows with what goes beyond', () => {
    expect(paidMonth({ ...NOTHING, d1_rows_written: 53 * MILLION })).toBeCloseTo(8);
    // 10 ms each at 128 MB stay within the included duration.
    expect(paidMonth({ ...NOTHING, object_requests: 3 * MILLION })).toBeCloseTo(5.3);
  });

  it('counts twenty socket messages as one request', () => {
    const asked = dollarsPerMillion({ ...NOTHING, object_requests: 1 });
    const sent = dollarsPerMillion({ ...NOTHING, socket_messages: 20 });
    const duration = (0.01 * 0.128 * 12.5) / 1;
    expect(asked - duration).toBeCloseTo(sent - 20 * duration);
  });

  it('names the daily allowance of the free plan that is used up first', () => {
    expect(freeShare({ ...NOTHING, object_requests: 30 * 50_000, worker_requests: 30 * 10_000 })).toEqual({
      share: 0.5,
      of: 'object_requests',
    });
  });
});

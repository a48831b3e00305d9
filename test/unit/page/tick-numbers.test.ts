import { describe, expect, it } from 'vitest';
import type { Tick } from '../../../schema/contracts/ticks.ts';
import { middleAndMost, numbersOf } from '../../../workers/page/panels/ticks/tick-numbers.ts';

const tick = (started_at: number, ms: number, rows_read?: number) =>
  ({
    started_at,
    finished_at: started_at + ms,
    entries: rows_read === undefined ? [] : [{ runner: 'timed-jobs.framework', rows_read }],
  }) as unknown as Tick;

describe('the numbers of ticks', () => {
  it('are in the order of time, with a gap where a tick says nothing', () => {
    expect(numbersOf([tick(3_000, 30, 7), tick(1_000, 10)])).toEqual({
      at: [1, 3],
      ms: [10, 30],
      rowsRead: [null, 7],
    });
  });

  it('are summed up by the middle value and the largest', () => {
    expect(middleAndMost([5, 1, 9])).toEqual({ middle: 5, most: 9 });
    expect(middleAndMost([])).toBeNull();
  });
});

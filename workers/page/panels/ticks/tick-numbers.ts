/** The numbers of ticks for a picture, oldest first, and what they say in a few words. */
import type { Tick } from '../../../../schema/contracts/ticks.ts';
import { FRAMEWORK_RUNNER } from '../../../../schema/contracts/ticks.ts';

/** Ticks make no events, which would cost a row each: they are read so often. */
export const TICKS_READ_MS = 10_000;

export interface TickNumbers {
  /** Seconds, as the chart counts time. */
  at: number[];
  ms: number[];
  rowsRead: (number | null)[];
}

/** `ticks`: newest first, as the edge lists them. */
export function numbersOf(ticks: readonly Tick[]): TickNumbers {
  const ordered = [...ticks].reverse();
  return {
    at: ordered.map(({ started_at }) => started_at / 1_000),
    ms: ordered.map(({ started_at, finished_at }) => finished_at - started_at),
    rowsRead: ordered.map(({ entries }) => {
      const own = entries.findLast(({ runner }) => runner === FRAMEWORK_RUNNER);
      return typeof own?.rows_read === 'number' ? own.rows_read : null;
    }),
  };
}

/** The middle value and the largest; null for no values. */
export function middleAndMost(values: readonly number[]): { middle: number; most: number } | null {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  const most = sorted.at(-1);
  return middle === undefined || most === undefined ? null : { middle, most };
}

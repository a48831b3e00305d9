export interface BackoffLimits {
  firstMs: number;
  maxMs: number;
}

/**
 * How long to wait before attempt number `attempt`, counted from 0: twice as long each time up to the maximum, less up to
 * a quarter at random, so that many do not try at the same moment. `random` is in [0, 1).
 */
export function backoffMs(attempt: number, { firstMs, maxMs }: BackoffLimits, random: number): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30));
  return Math.round(full * (1 - random / 4));
}

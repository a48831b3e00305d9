/** How long to wait before the next attempt. `random` is a number in [0, 1). */
import { RENEWAL } from '../defaults.ts';

export interface Backoff {
  base_ms: number;
  max_ms: number;
  /**
   * How chance varies the delay: by that share of it to either side (0: not at all), or `full`: anywhere between
   * nothing and the delay, so that clients that failed together do not come back together.
   */
  jitter: number | 'full';
}

export const RENEWAL_BACKOFF: Backoff = {
  base_ms: RENEWAL.retry_base_ms,
  max_ms: RENEWAL.retry_max_ms,
  jitter: RENEWAL.retry_jitter,
};

/** base · 2^(failures−1), at most the maximum, varied by the jitter; milliseconds. `failures` in a row, from 1. */
export function retryDelayMs(failures: number, { base_ms, max_ms, jitter }: Backoff, random: number): number {
  const delayMs = Math.min(base_ms * 2 ** (failures - 1), max_ms);
  return Math.round(delayMs * (jitter === 'full' ? random : 1 - jitter + 2 * jitter * random));
}

/** How long to wait before the next attempt. `random` is a number in [0, 1). */
import { RENEWAL } from '../defaults.ts';

export interface Backoff {
  base_ms: number;
  max_ms: number;
  /** Share of the delay by which it varies to either side. */
  jitter: number;
}

export const RENEWAL_BACKOFF: Backoff = {
  base_ms: RENEWAL.retry_base_ms,
  max_ms: RENEWAL.retry_max_ms,
  jitter: RENEWAL.retry_jitter,
};

/** base · 2^(attempt−1), at most the maximum, varied by the jitter; milliseconds. The first attempt is 1. */
export function retryDelayMs(attempt: number, backoff: Backoff, random: number): number {
  const delayMs = Math.min(backoff.base_ms * 2 ** (attempt - 1), backoff.max_ms);
  return Math.round(delayMs * (1 - backoff.jitter + 2 * backoff.jitter * random));
}

/** Full jitter: after a common failure (a deployment cuts every socket at once) nobody comes back together. */
export interface BackoffLimits {
  baseMs: number;
  maxMs: number;
}

/** Milliseconds to wait before attempt number `attempt` (from 0); `random` is in [0, 1). */
export function fullJitter(attempt: number, limits: BackoffLimits, random: number): number {
  const ceiling = Math.min(limits.maxMs, limits.baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(ceiling * random);
}

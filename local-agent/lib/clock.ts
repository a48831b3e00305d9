/** Time as the agent's parts see it: injected, so that a test can move it. */
export interface Clock {
  /** Wall clock, Unix milliseconds. It can jump. */
  now(): number;
  /** Milliseconds that never go back. It may stand still while the machine sleeps. */
  monotonic(): number;
  /** Runs `run` once after `delayMs`; the answer cancels it. */
  after(delayMs: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Time and timers of the extension; injected, so that a test can move them. */
export interface Clock {
  /** Wall clock, Unix milliseconds. It can jump. */
  now(): number;
  /** Runs `run` once after `delayMs`. Returns a function that cancels it. */
  after(delayMs: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

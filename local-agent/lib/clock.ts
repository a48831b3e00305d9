/** The clocks and timers of the agent; injected, so that a test can move time. */
export interface Clock {
  /** Wall clock, Unix milliseconds. It can jump. */
  now(): number;
  /** Milliseconds that never decrease. They may pause while the machine sleeps. */
  monotonic(): number;
  /** Runs `run` once after `delayMs`. Returns a function that cancels it. */
  after(delayMs: number, run: () => void): () => void;
}

/** Resolves after that time. */
export function pause(clock: Pick<Clock, 'after'>, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

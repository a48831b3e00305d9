/**
 * Elapsed time that is never too short while one of the host's two clocks is right: each step counts the larger of
 * what the wall clock and the monotonic clock have moved. The wall clock may be set back, the monotonic one stands
 * still while a Linux machine sleeps; a step too long only makes the node give up its lease early.
 */
export interface ClockReading {
  wallMs: number;
  monotonicMs: number;
}

export interface CautiousTime {
  /** Milliseconds since some beginning, never going back. */
  elapsedMs: number;
  last: ClockReading;
}

/** Moves cautious time on to `reading`. */
export function advanceCautiousTime(time: CautiousTime, reading: ClockReading): CautiousTime {
  const step = Math.max(0, reading.wallMs - time.last.wallMs, reading.monotonicMs - time.last.monotonicMs);
  return { elapsedMs: time.elapsedMs + step, last: reading };
}

/**
 * Elapsed time that is never too short as long as one of the machine's two clocks is right: each step is the larger of
 * the steps of the wall clock and the monotonic clock. The wall clock can be set back, and the monotonic clock pauses
 * while a Linux machine sleeps. A step that is too long only makes the node give up its lease early.
 */
export interface ClockReading {
  wallMs: number;
  monotonicMs: number;
}

export interface CautiousTime {
  /** Milliseconds since an arbitrary start; never decreases. */
  elapsedMs: number;
  last: ClockReading;
}

/** Cautious time at `reading`. */
export function advanceCautiousTime(time: CautiousTime, reading: ClockReading): CautiousTime {
  const step = Math.max(0, reading.wallMs - time.last.wallMs, reading.monotonicMs - time.last.monotonicMs);
  return { elapsedMs: time.elapsedMs + step, last: reading };
}

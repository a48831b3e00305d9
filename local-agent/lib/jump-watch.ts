/**
 * A wall clock that notices its own jumps: a step that differs from that of the monotonic clock. Times that are stored to
 * wait for can then be moved by as much, so that the wait is neither skipped nor stretched. A step forward may also be
 * sleep, during which the monotonic clock of a Linux machine pauses.
 */
import type { Clock } from './clock.ts';

/** Smaller differences are those of the clocks themselves. */
const TOLERANCE_MS = 1_000;

/**
 * The clock. It calls `onJump` before it returns a time from after the jump; `by` is negative for a clock that was set
 * back. `onJump` must not read this clock.
 */
export function jumpWatch(clock: Clock, onJump: (by: number, now: number) => void): Clock {
  let wallMs = clock.now();
  let monotonicMs = clock.monotonic();
  return {
    now: () => {
      const wall = clock.now();
      const monotonic = clock.monotonic();
      const by = Math.round(wall - wallMs - (monotonic - monotonicMs));
      // One that fails is tried again with the next reading.
      if (Math.abs(by) >= TOLERANCE_MS) onJump(by, wall);
      wallMs = wall;
      monotonicMs = monotonic;
      return wall;
    },
    monotonic: () => clock.monotonic(),
    after: (delayMs, run) => clock.after(delayMs, run),
  };
}

/**
 * A clock for a machine whose disk may be full. What a timer runs begins with a transaction, so a run that fails on the
 * disk has changed nothing: it is run again later, as if the timer had come later. Any other error is passed on.
 */
import type { Clock } from './clock.ts';
import { isDiskFault } from './errno.ts';

export const DISK_RETRY_MS = 5_000;

export function patientClock(clock: Clock, onDiskFault: (error: unknown) => void): Clock {
  const after = (delayMs: number, run: () => void): (() => void) => {
    let cancel = clock.after(delayMs, attempt);
    function attempt(): void {
      try {
        run();
      } catch (error) {
        if (!isDiskFault(error)) throw error;
        onDiskFault(error);
        cancel = clock.after(DISK_RETRY_MS, attempt);
      }
    }
    return () => cancel();
  };
  return { now: () => clock.now(), monotonic: () => clock.monotonic(), after };
}

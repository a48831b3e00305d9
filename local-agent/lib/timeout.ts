import type { Clock } from './clock.ts';

/** Resolves when `work` has settled or `limitMs` are over; whether it was the former. */
export async function withinMs(clock: Pick<Clock, 'after'>, work: Promise<unknown>, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.after(limitMs, () => resolve(false));
    const settled = () => {
      cancel();
      resolve(true);
    };
    work.then(settled, settled);
  });
}

import type { Clock } from './clock.ts';

/** Resolves with true when `work` has settled (resolved or rejected), or with false after `limitMs`. */
export async function withinMs(clock: Pick<Clock, 'after'>, work: Promise<unknown>, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.after(limitMs, () => resolve(false));
    const finish = () => {
      cancel();
      resolve(true);
    };
    work.then(finish, finish);
  });
}

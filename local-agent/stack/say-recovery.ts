/** The last words about a child are not that it died: when it responds again, that is said too. */
import type { EventEmitter } from 'node:events';
import type { Supervised, SupervisedEvents } from './supervised.ts';

/** `ready` resolves when the child that has just started responds. */
export function sayRecovery(
  child: Pick<Supervised, 'name'> & EventEmitter<SupervisedEvents>,
  ready: (signal: AbortSignal) => Promise<unknown>,
  say: (line: string) => void,
): void {
  let waiting = new AbortController();
  let hasDied = false;
  child.on('died', () => {
    hasDied = true;
    waiting.abort();
  });
  child.on('started', () => {
    if (!hasDied) return;
    waiting = new AbortController();
    const { signal } = waiting;
    ready(signal).then(
      () => {
        if (!signal.aborted) say(`${child.name} responds again`);
      },
      // It has died once more, and is started again.
      () => undefined,
    );
  });
}

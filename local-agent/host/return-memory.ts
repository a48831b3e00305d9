/**
 * Returns to the system what only the start of a process needed. V8 keeps the pages that it once filled until it needs a full
 * collection, which a process at rest never does.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** When a start is over. */
const SETTLED_MS = 10_000;

/** Collects once, which takes some 50 ms. */
export function returnMemoryOfStart(): void {
  setTimeout(() => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as NodeJS.GCFunction;
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  }, SETTLED_MS).unref();
}

/** Repeats what a full disk prevents, until there is space again. */
import { setTimeout as delay } from 'node:timers/promises';
import type { RunsHost } from './host.ts';

/** Resolves when `store` has succeeded, or `signal` says that this agent ends. Never throws. */
export async function untilStored(
  { log, storeRetryMs }: Pick<RunsHost, 'log' | 'storeRetryMs'>,
  runId: string,
  signal: AbortSignal,
  store: () => Promise<void> | void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      return await store();
    } catch (error) {
      // A store that is closed means nothing when this agent ends.
      if (signal.aborted) return;
      log.error({ error, run_id: runId }, 'the end of a run could not be stored; it is tried again');
    }
    await delay(storeRetryMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../local-agent/lib/clock.ts';
import type { Store } from '../../local-agent/store/store.ts';
import { openStore } from '../../local-agent/store/store.ts';
import { tempDir } from './temp-dir.ts';

/** A fresh store in a file of its own, closed when the test has finished. */
export function openTestStore(clock: Pick<Clock, 'now'>, path = join(tempDir(), 'agent.sqlite')): Store {
  const store = openStore(path, { now: () => clock.now(), newOutboxId: () => 'box' });
  onTestFinished(() => {
    if (store.db.isOpen) store.close();
  });
  return store;
}

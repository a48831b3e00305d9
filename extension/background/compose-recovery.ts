/** Connects the ladder for turns that do not end to the browser and to the other parts. */
import { STORAGE_KEYS, Stored } from '../lib/storage.ts';
import type { Deliveries } from './deliveries/deliveries.ts';
import type { Parts } from './parts.ts';
import { startRecovery } from './recovery/recovery.ts';
import { NO_RECOVERY, RecoverySchema } from './recovery/stored-recovery.ts';
import { openTabs } from './tabs/open-tabs.ts';

const LOOK_MS = 5_000;

export function composeRecovery(parts: Parts, deliveries: Pick<Deliveries, 'busyTabs'>): void {
  const { env, diagnostics, pages, queue, traffic, turns } = parts;
  const recovery = startRecovery({
    storage: new Stored(env.storage, STORAGE_KEYS.recovery, RecoverySchema, NO_RECOVERY),
    traffic,
    clock: env.clock,
    look: (tabId) => pages.call(tabId, 'look', {}, LOOK_MS),
    tabs: openTabs(env.tabs),
    // Turns know whether the conversation was read for them already: that is done once.
    reread: async ({ platform, conversationId }) => turns.reread(platform, conversationId),
    busyTabs: () => deliveries.busyTabs(),
    diagnostic: (_level, message) => diagnostics.report(null, message),
  });
  env.onAlarm(() => recovery.wake());
  queue.added.on(({ platform, conversation_id }) => {
    if (conversation_id !== null) recovery.onFinal(platform, conversation_id);
  });
}

/** Connects the ladder for turns that do not end to the browser and to the other parts. */
import { STORAGE_KEYS, Stored } from '../lib/storage.ts';
import type { Deliveries } from './deliveries/deliveries.ts';
import type { Parts } from './parts.ts';
import type { OpenTurn } from './recovery/ladder.ts';
import { startRecovery } from './recovery/recovery.ts';
import { NO_RECOVERY, RecoverySchema } from './recovery/stored-recovery.ts';

const LOOK_MS = 5_000;

/** By the address that the tab has now: the person may have left the page, or the browser was started again. */
async function isAtConversation({ env, tabs }: Parts, turn: Pick<OpenTurn, 'platform' | 'tabId' | 'conversationId'>) {
  const { url } = await env.tabs.get(turn.tabId);
  const site = tabs.siteOf(url);
  if (url === undefined || site?.platform !== turn.platform) return false;
  return site.wire.addressOf(new URL(url)).conversationId === turn.conversationId;
}

export function composeRecovery(parts: Parts, deliveries: Pick<Deliveries, 'busyTabs'>): void {
  const { env, diagnostics, pages, queue, traffic, turns } = parts;
  const recovery = startRecovery({
    storage: new Stored(env.storage, STORAGE_KEYS.recovery, RecoverySchema, NO_RECOVERY),
    traffic,
    clock: env.clock,
    look: (tabId) => pages.call(tabId, 'look', {}, LOOK_MS),
    tabs: { isThere: (turn) => isAtConversation(parts, turn), reload: (tabId) => env.tabs.reload(tabId) },
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

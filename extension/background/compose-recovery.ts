/** Connects the ladder for turns that do not end to the browser and to the other parts. */
import { STORAGE_KEYS, Stored } from '../lib/storage.ts';
import type { HelpedTurn } from '../people-messages.ts';
import type { Deliveries } from './deliveries/deliveries.ts';
import type { Parts } from './parts.ts';
import type { PeopleState } from './people/state.ts';
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

export function composeRecovery(
  parts: Parts,
  deliveries: Pick<Deliveries, 'busyTabs'>,
  people: Pick<PeopleState, 'view' | 'helped'>,
): void {
  const { env, diagnostics, helpStopped, pages, queue, settingsRead, traffic, turns } = parts;
  const stored = new Stored(env.storage, STORAGE_KEYS.recovery, RecoverySchema, NO_RECOVERY);
  // Before that, a site that is turned off is not known to be.
  const settingsKnown = new Promise<void>((resolve) => settingsRead.on(resolve));
  const recovery = startRecovery({
    storage: { read: () => settingsKnown.then(() => stored.read()), write: (state) => stored.write(state) },
    traffic,
    clock: env.clock,
    look: (tabId) => pages.call(tabId, 'look', {}, LOOK_MS),
    tabs: { isThere: (turn) => isAtConversation(parts, turn), reload: (tabId) => env.tabs.reload(tabId) },
    // Turns know whether the conversation was read for them already: that is done once.
    reread: async ({ platform, conversationId }) => turns.reread(platform, conversationId),
    busyTabs: () => deliveries.busyTabs(),
    isOn: (platform) => parts.isOn(platform),
    isPaused: () => people.view.snapshot?.system.mode === 'paused',
    onHelped: (helped) => people.helped(helped),
    diagnostic: (_level, message, of) => diagnostics.report(of?.platform ?? null, message, of?.conversationId),
  });
  env.onAlarm(() => recovery.wake());
  queue.added.on(({ platform, conversation_id }) => {
    if (conversation_id !== null) recovery.over(platform, conversation_id);
  });
  const over = ({ platform, conversationId }: HelpedTurn) => recovery.over(platform, conversationId);
  settingsRead.on(() => recovery.wake());
  turns.ended.on(over);
  helpStopped.on(over);
}

/** Connects the recovery of turns that do not end to the browser and to the capture. */
import type { Deliveries } from './deliveries/deliveries.ts';
import { readSite } from './deliveries/read-site.ts';
import type { Parts } from './parts.ts';
import type { RecoveryDeps } from './recovery/recovery.ts';
import { startRecovery } from './recovery/recovery.ts';
import { openTabs } from './tabs/open-tabs.ts';

const LOOK_MS = 5_000;
const READ_MS = 15_000;

export function composeRecovery(parts: Parts, deliveries: Deliveries): void {
  const { env, diagnostics, pages, queue, sites, traffic } = parts;
  const { clock, newId } = env;
  /** What the site says counts as the page's own reading of the conversation. */
  const reread: RecoveryDeps['reread'] = async ({ platform, tabId, conversationId }) => {
    const site = sites.find((one) => one.platform === platform);
    if (site === undefined) return;
    const call: Parameters<typeof readSite>[0] = (tab, name, order) => pages.call(tab, name, order, READ_MS);
    const reading = await readSite(call, site, tabId, conversationId, READ_MS);
    if (reading === null) return;
    const source = { platform, tabId, requestId: newId(), role: 'read', at: clock.now() } as const;
    traffic.emit({ ...source, type: 'decoded', event: { type: 'reading', reading } });
  };
  const recovery = startRecovery({
    traffic,
    clock,
    look: (tabId) => pages.call(tabId, 'look', {}, LOOK_MS),
    tabs: openTabs(env.tabs),
    reread,
    busyTabs: () => deliveries.busyTabs(),
    diagnostic: (_level, message) => diagnostics.report(null, message),
  });
  queue.added.on(({ platform, conversation_id }) => {
    if (conversation_id !== null) recovery.onFinal(platform, conversation_id);
  });
}

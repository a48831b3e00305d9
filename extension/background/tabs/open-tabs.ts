/** The tabs of the browser for deliveries, which open, reload and close some. */
import type { OpenTab, Tabs } from '../deliveries/find-tab.ts';
import type { TabInfo, TabsApi } from './tabs-api.ts';

function openTab(tab: TabInfo): OpenTab | null {
  if (tab.id === undefined) return null;
  return {
    id: tab.id,
    url: tab.url ?? '',
    windowId: tab.windowId ?? -1,
    cookieStoreId: tab.cookieStoreId ?? null,
    lastAccessed: tab.lastAccessed ?? 0,
    isActive: tab.active ?? false,
    isDiscarded: tab.discarded ?? false,
  };
}

export function openTabs(tabs: TabsApi): Tabs {
  return {
    async all(matches) {
      const found = await tabs.query({ url: [...matches] });
      return found.flatMap((tab) => openTab(tab) ?? []);
    },
    async exists(tabId) {
      return tabs.get(tabId).then(
        () => true,
        () => false,
      );
    },
    async open(url, beside) {
      const windowId = beside === null || beside.windowId < 0 ? undefined : beside.windowId;
      const cookieStoreId = beside?.cookieStoreId ?? undefined;
      const made = await tabs.create({
        url,
        active: false,
        ...(windowId !== undefined && { windowId }),
        ...(cookieStoreId !== undefined && { cookieStoreId }),
      });
      const tab = openTab(made);
      if (tab === null) throw new Error('the browser opened no tab');
      // A new tab has no address until it begins to load.
      return { ...tab, url: tab.url === '' || tab.url === 'about:blank' ? url : tab.url };
    },
    reload: (tabId) => tabs.reload(tabId),
    close: (tabId) => tabs.remove(tabId),
  };
}

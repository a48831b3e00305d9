/** `browser.tabs`, as far as it is used. Addresses are visible for the sites of this extension only. */

export interface TabInfo {
  id?: number | undefined;
  url?: string | undefined;
  title?: string | undefined;
  discarded?: boolean | undefined;
  lastAccessed?: number | undefined;
}

interface TabEvent<Listener> {
  addListener(listener: Listener): void;
}

export interface TabsApi {
  query(info: { url: string[] }): Promise<TabInfo[]>;
  sendMessage(tabId: number, message: unknown, options: { frameId: number }): Promise<unknown>;
  onCreated: TabEvent<(tab: TabInfo) => void>;
  onUpdated: TabEvent<(tabId: number, change: { url?: string | undefined }, tab: TabInfo) => void>;
  onRemoved: TabEvent<(tabId: number) => void>;
  onReplaced: TabEvent<(added: number, removed: number) => void>;
}

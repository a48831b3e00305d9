/** `browser.tabs`, as far as it is used. Addresses are visible for the sites of this extension only. */

export interface TabInfo {
  id?: number | undefined;
  url?: string | undefined;
  title?: string | undefined;
  discarded?: boolean | undefined;
  lastAccessed?: number | undefined;
  windowId?: number | undefined;
  /** The container. */
  cookieStoreId?: string | undefined;
  active?: boolean | undefined;
}

export interface NewTab {
  url: string;
  active: boolean;
  windowId?: number;
  cookieStoreId?: string;
}

interface TabEvent<Listener> {
  addListener(listener: Listener): void;
}

export interface TabsApi {
  query(info: { url: string[] }): Promise<TabInfo[]>;
  get(tabId: number): Promise<TabInfo>;
  create(tab: NewTab): Promise<TabInfo>;
  reload(tabId: number): Promise<void>;
  remove(tabId: number): Promise<void>;
  sendMessage(tabId: number, message: unknown, options: { frameId: number }): Promise<unknown>;
  onCreated: TabEvent<(tab: TabInfo) => void>;
  onUpdated: TabEvent<(tabId: number, change: { url?: string | undefined }, tab: TabInfo) => void>;
  onRemoved: TabEvent<(tabId: number) => void>;
  onReplaced: TabEvent<(added: number, removed: number) => void>;
}

/**
 * The open tabs of the sites. Firefox shows no tab of a private window to an extension that a person has not allowed
 * there. A discarded tab has no page that could do anything, so it counts as closed until it is loaded again.
 */
import type { Platform } from '../../../schema/contracts/common.ts';
import { Emitter } from '../../lib/emitter.ts';
import { matcher } from '../../lib/match-pattern.ts';
import type { PageLook } from '../../messages.ts';
import type { PageAddress } from '../../sites/facts.ts';
import type { Site } from '../../sites/site.ts';
import type { LoginPlace } from '../logins/logins.ts';
import { placeOf } from '../logins/logins.ts';
import type { TabInfo, TabsApi } from './tabs-api.ts';

export interface SiteTab {
  tabId: number;
  platform: Platform;
  url: string;
  title: string | null;
  address: PageAddress;
  /** The container of the browser, which has logins of its own; null while it is not known. */
  container: string | null;
  /** Where the login of its page is. */
  login: LoginPlace;
  observedAt: number;
  /** What the page last said about itself; null until its content script has spoken. */
  look: PageLook | null;
}

export interface TabRegistryDeps {
  tabs: TabsApi;
  sites: readonly Site[];
  now: () => number;
}

const MAX_TABS = 500;

export class TabRegistry {
  /** A tab was opened, closed, or shows something else. */
  readonly changed = new Emitter<void>();
  /** The page of a tab has said what it shows. */
  readonly looked = new Emitter<{ tabId: number; look: PageLook }>();
  readonly #deps: TabRegistryDeps;
  readonly #sites: readonly { site: Site; matches: (url: string | undefined) => boolean }[];
  readonly #tabs = new Map<number, SiteTab>();

  constructor(deps: TabRegistryDeps) {
    this.#deps = deps;
    this.#sites = deps.sites.map((site) => ({ site, matches: matcher(site.matches) }));
  }

  /** Registers the listeners; at once, as an event page requires. */
  listen(): void {
    const { tabs } = this.#deps;
    tabs.onCreated.addListener((tab) => this.#see(tab));
    tabs.onUpdated.addListener((_tabId, _change, tab) => this.#see(tab));
    tabs.onRemoved.addListener((tabId) => this.#remove(tabId));
    tabs.onReplaced.addListener((_added, removed) => this.#remove(removed));
  }

  /** Finds the tabs that are open already. */
  async load(): Promise<void> {
    const url = this.#deps.sites.flatMap(({ matches }) => [...matches]);
    if (url.length === 0) return;
    for (const tab of await this.#deps.tabs.query({ url })) this.#see(tab);
  }

  all(): SiteTab[] {
    return [...this.#tabs.values()];
  }

  get(tabId: number): SiteTab | null {
    return this.#tabs.get(tabId) ?? null;
  }

  /** The tab that shows this conversation: `preferred` if it does, else the one that was seen last. */
  showing(platform: Platform, conversationId: string, preferred: number): SiteTab | null {
    const tabs = this.all().filter((tab) => tab.platform === platform && tab.address.conversationId === conversationId);
    const newestFirst = tabs.sort((a, b) => b.observedAt - a.observedAt);
    return tabs.find(({ tabId }) => tabId === preferred) ?? newestFirst[0] ?? null;
  }

  siteOf(url: string | undefined): Site | null {
    return this.#sites.find(({ matches }) => matches(url))?.site ?? null;
  }

  /** The page of a tab says what it shows. False when the tab is none of the site. */
  onLook(tabId: number, look: PageLook, container: string | null): boolean {
    const site = this.siteOf(look.url);
    if (site === null) return false;
    const title = look.title.slice(0, 500);
    this.#put(tabId, site, { url: look.url, title, look, container });
    this.looked.emit({ tabId, look });
    return true;
  }

  #see({ id, url, title, discarded, cookieStoreId }: TabInfo): void {
    if (id === undefined) return;
    const site = discarded === true ? null : this.siteOf(url);
    if (site === null || url === undefined) {
      this.#remove(id);
      return;
    }
    const known = this.#tabs.get(id);
    // What the page said counts until it shows another address.
    const look = known?.url === url ? known.look : null;
    this.#put(id, site, { url, title: title?.slice(0, 500) ?? null, look, container: cookieStoreId ?? null });
  }

  #put(tabId: number, site: Site, seen: Pick<SiteTab, 'url' | 'title' | 'look' | 'container'>): void {
    const { url, title } = seen;
    const known = this.#tabs.get(tabId);
    if (known === undefined && this.#tabs.size >= MAX_TABS) return;
    const address = site.wire.addressOf(new URL(url));
    const observedAt = this.#deps.now();
    // A tab stays in its container.
    const container = seen.container ?? known?.container ?? null;
    const login = placeOf(site, url, container);
    this.#tabs.set(tabId, { ...seen, tabId, platform: site.platform, address, container, login, observedAt });
    if (known?.url !== url || known.title !== title) this.changed.emit();
  }

  #remove(tabId: number): void {
    if (this.#tabs.delete(tabId)) this.changed.emit();
  }
}

/** An address without its query and fragment, in which a site may keep secrets. */
export function plainUrl(text: string): string {
  const url = URL.parse(text);
  return url === null ? '' : `${url.origin}${url.pathname}`.slice(0, 2_048);
}

/** In which tab a message is delivered, or a conversation read. */
import type { SkipReason } from '../../../schema/contracts/action-parts.ts';
import { PLATFORMS } from '../../../schema/contracts/common.ts';
import type { PageAddress } from '../../sites/facts.ts';
import type { Site } from '../../sites/site.ts';

export interface OpenTab {
  id: number;
  url: string;
  windowId: number;
  /** Null without containers. */
  cookieStoreId: string | null;
  /** Unix milliseconds. */
  lastAccessed: number;
  isActive: boolean;
  /** Unloaded by the browser to save memory: its page does not run. */
  isDiscarded: boolean;
}

/** The tabs of the browser, as far as they are used. */
export interface Tabs {
  /** Those whose address matches. */
  all(matches: readonly string[]): Promise<OpenTab[]>;
  exists(tabId: number): Promise<boolean>;
  /** In the background. */
  open(url: string, beside: Pick<OpenTab, 'windowId' | 'cookieStoreId'> | null): Promise<OpenTab>;
  /** Loads the page again; of a discarded tab, for the first time. */
  reload(tabId: number): Promise<void>;
  close(tabId: number): Promise<void>;
}

export type AccountTab = Pick<OpenTab, 'url' | 'cookieStoreId'>;

/** Which tabs have the account that is wanted. */
export interface WantedAccount {
  /** Null where it is not known who is signed in, if anyone. */
  isIn(tab: AccountTab): boolean | null;
  /** A container in which it is signed in; null when none is known. */
  container: string | null;
}

export interface Wanted {
  tabId: number | null;
  conversationId: string | null;
  pageUrl: string;
  /** Absent: any account. */
  account?: WantedAccount | null;
}

export type Choice =
  | { type: 'use'; tab: OpenTab }
  | { type: 'open'; url: string; beside: Pick<OpenTab, 'windowId' | 'cookieStoreId'> | null }
  | { type: 'none'; reason: string };

function addressOf(site: Site, text: string): PageAddress | null {
  const url = URL.parse(text);
  return url === null ? null : site.wire.addressOf(url);
}

function isWanted(address: PageAddress | null, conversationId: string | null): boolean {
  if (address === null) return false;
  return conversationId === null ? address.kind === 'new' : address.conversationId === conversationId;
}

function isOfSite(site: Site, url: string): boolean {
  const origin = URL.parse(url)?.origin;
  return site.matches.some((pattern) => URL.parse(pattern)?.origin === origin);
}

/** The address to open when no tab has the conversation: the one of the order when it names it, else the usual one. */
function urlToOpen(site: Site, { conversationId, pageUrl }: Wanted): string | null {
  const { home_url, conversation_url } = PLATFORMS[site.platform];
  const usual = conversationId === null ? home_url : conversation_url + encodeURIComponent(conversationId);
  const urls = [pageUrl, usual].filter((url) => isOfSite(site, url));
  return urls.find((url) => isWanted(addressOf(site, url), conversationId)) ?? null;
}

function accountPath(site: Site, text: string): string {
  const url = URL.parse(text);
  return url === null ? '' : (site.wire.accountPathOf?.(url) ?? '');
}

/** Whether a tab is of the account of the order: by who is signed in there, else by its address. */
function isOfPath(site: Site, tab: OpenTab, { account = null, pageUrl }: Wanted): boolean {
  return account?.isIn(tab) === true || accountPath(site, tab.url) === accountPath(site, pageUrl);
}

const byNewest = (a: OpenTab, b: OpenTab): number =>
  Number(a.isDiscarded) - Number(b.isDiscarded) || b.lastAccessed - a.lastAccessed;

/** The tabs of the account; all, where the account is nowhere: then it is found that another one is signed in. */
function ofAccount(tabs: readonly OpenTab[], account: WantedAccount | null): readonly OpenTab[] {
  if (account === null) return tabs;
  const own = tabs.filter((tab) => account.isIn(tab) !== false);
  return own.length > 0 || account.container !== null ? own : tabs;
}

/**
 * The tab that the order names while it still shows the conversation; else the newest tab that does; else a new one, of
 * the container of its account or, without one, of the tab that had it. Pure. `busy`: tabs that another delivery uses.
 */
export function chooseTab(site: Site, open: readonly OpenTab[], wanted: Wanted, busy: ReadonlySet<number>): Choice {
  const { account = null } = wanted;
  const isCertain = (tab: OpenTab) => account === null || account.isIn(tab) === true;
  const byUse = (a: OpenTab, b: OpenTab) => Number(isCertain(b)) - Number(isCertain(a)) || byNewest(a, b);
  const tabs = [...ofAccount(open, account)].sort(byUse);
  const suitable = tabs.filter(
    (tab) =>
      isWanted(addressOf(site, tab.url), wanted.conversationId) && !busy.has(tab.id) && isOfPath(site, tab, wanted),
  );
  const named = suitable.find((tab) => tab.id === wanted.tabId && !tab.isDiscarded);
  const tab = named ?? suitable[0];
  if (tab) return { type: 'use', tab };
  const url = urlToOpen(site, wanted);
  if (url === null) return { type: 'none', reason: 'page_url_of_other_conversation' };
  const beside = tabs.find((one) => one.id === wanted.tabId) ?? tabs[0] ?? null;
  const cookieStoreId = account?.container ?? null;
  if (cookieStoreId === null || (beside !== null && isCertain(beside))) return { type: 'open', url, beside };
  return { type: 'open', url, beside: { windowId: beside?.windowId ?? -1, cookieStoreId } };
}

export interface SkippedTab {
  tabId: number;
  reason: SkipReason;
}

/** The tabs that could have been meant and that the choice passed over, and why. Pure. */
export function skippedTabs(
  site: Site,
  open: readonly OpenTab[],
  wanted: Wanted,
  { choice, busy }: { choice: Choice; busy: ReadonlySet<number> },
): SkippedTab[] {
  const chosen = choice.type === 'use' ? choice.tab.id : null;
  const reasonOf = (tab: OpenTab): SkipReason | null => {
    if (!isWanted(addressOf(site, tab.url), wanted.conversationId)) {
      return tab.id === wanted.tabId ? 'shows_other_conversation' : null;
    }
    if (busy.has(tab.id)) return 'tab_in_use';
    if (wanted.account?.isIn(tab) === false || !isOfPath(site, tab, wanted)) return 'other_account';
    return tab.isDiscarded ? 'unloaded' : 'older_tab';
  };
  return open.flatMap((tab) => {
    const reason = tab.id === chosen ? null : reasonOf(tab);
    return reason === null ? [] : [{ tabId: tab.id, reason }];
  });
}

/** The tab that a reading without a conversation means: the one that the person looked at last. Pure. */
export function currentTab(site: Site, tabs: readonly OpenTab[]): OpenTab | null {
  const ofConversations = tabs.filter((tab) => addressOf(site, tab.url)?.kind === 'conversation');
  const rank = (tab: OpenTab): number => (tab.isActive ? 0 : 1);
  return [...ofConversations].sort((a, b) => rank(a) - rank(b) || byNewest(a, b))[0] ?? null;
}

/** What deliveries and readings use of the browser and of the other parts of the background page. */
import type { ActionResult } from '../../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../../schema/contracts/common.ts';
import type { PageCallName, PageCalls, PageLook } from '../../messages.ts';
import type { Site } from '../../sites/site.ts';
import type { TrafficEvent } from '../traffic.ts';
import type { End } from './end.ts';
import type { OpenTab, Tabs } from './find-tab.ts';
import type { PlanStorage } from './plans.ts';

/** Calls the content script of a tab; rejects when there is none, or when it is gone before it responds. */
export type CallPage = <Name extends PageCallName>(
  tabId: number,
  call: Name,
  order: PageCalls[Name]['order'],
) => Promise<PageCalls[Name]['result']>;

export interface DeliveriesDeps {
  siteOf(platform: Platform): Site;
  /** Whether the person lets the extension work on that site. */
  isOn(platform: Platform): boolean;
  tabs: Tabs;
  call: CallPage;
  traffic: { on(listener: (event: TrafficEvent) => void): () => void };
  /** The fingerprint of the account that a tab is of, by what was last seen there; null when it is not known. */
  account(platform: Platform, tab: Pick<OpenTab, 'url' | 'cookieStoreId'>): string | null;
  /** The same of a page that was just looked at, which says itself who is signed in. */
  accountOfPage(platform: Platform, container: string | null, look: PageLook): Promise<string | null>;
  /** A container in which this account is signed in; null when none is known. */
  containerOf(platform: Platform, account: string): string | null;
  /** What pages say that they show. */
  looks: { on(listener: (seen: { tabId: number; look: PageLook }) => void): () => void };
  storage: PlanStorage;
  clock: { now(): number; after(delayMs: number, run: () => void): () => void };
  /** This browser and its connection to the agent. */
  identity(): { clientId: string; connectionId: string | null };
  /** To the agent; lost when it is not connected. */
  send(frame: ActionResult): void;
  /** A delivery has ended; once for each result. `conversationId`: the one that it was for, or that it began. */
  ended(delivery: { platform: Platform; conversationId: string | null; end: End }): void;
  /** The page of a conversation in which a message waits can be used again. */
  onFree(platform: Platform, conversationId: string): void;
  diagnostic(level: 'info' | 'warn', message: string): void;
}

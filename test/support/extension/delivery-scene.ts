/** The deliveries of a background page with a browser of plain objects: its tabs, their pages, their requests. */

import type { Deliveries } from '../../../extension/background/deliveries/deliveries.ts';
import { startDeliveries } from '../../../extension/background/deliveries/deliveries.ts';
import type { OpenTab, Tabs } from '../../../extension/background/deliveries/find-tab.ts';
import type { Plan } from '../../../extension/background/deliveries/plans.ts';
import type { TrafficEvent } from '../../../extension/background/traffic.ts';
import { Emitter } from '../../../extension/lib/emitter.ts';
import type { PageCallName, PageCalls, PageLook } from '../../../extension/messages.ts';
import type { PageAddress, SeenSend } from '../../../extension/sites/facts.ts';
import type { Site } from '../../../extension/sites/site.ts';
import type { ActionResult, ProxyDelivery, ReadCurrent } from '../../../schema/contracts/bridge-frames.ts';
import { TestClock } from '../test-clock.ts';

/** A site whose conversations are at `/c/<id>`, and whose readings are the JSON of a `SiteReading`. */
function plainSite(maxTextChars: () => number | null): Site {
  const addressOf = (url: URL): PageAddress => {
    const [, conversationId = null] = /^\/c\/([\w-]+)$/.exec(url.pathname) ?? [];
    const isNew = url.pathname === '/' && url.search === '';
    return { kind: conversationId !== null ? 'conversation' : isNew ? 'new' : 'temporary', conversationId };
  };
  const wire: Site['wire'] = {
    addressOf,
    requestPatterns: [],
    headers: [],
    roleOf: () => null,
    readSend: () => null,
    decoder: () => ({ push: () => [], end: () => [] }),
    confirmsByReading: false,
    readReading: (body) => JSON.parse(body) as ReturnType<Site['wire']['readReading']>,
    get maxTextChars() {
      return maxTextChars();
    },
  };
  return { platform: 'chatgpt', matches: ['https://chatgpt.com/*'], wire, page: {} as Site['page'] };
}

export const seenLook = (conversationId: string | null, more: Partial<PageLook> = {}): PageLook => ({
  url: '',
  title: '',
  address: { kind: conversationId === null ? 'new' : 'conversation', conversationId },
  shownConversation: conversationId,
  isVisible: true,
  composer: 'empty',
  typedAgoMs: null,
  isAnswering: false,
  isOver: false,
  obstacle: null,
  login: { login: 'fresh', account: 'account' },
  drift: [],
  lastAnswer: conversationId === null ? null : { id: 'a0', isFinished: true, chars: 1 },
  ...more,
});

type Handlers = { [Name in PageCallName]?: (order: PageCalls[Name]['order']) => unknown };

/** What storage keeps over a restart of the background page. */
export interface Kept {
  /** It cannot be read. */
  isUnreadable?: boolean;
  plans: Plan[];
}

export class DeliveryScene {
  readonly clock: TestClock;
  readonly results: ActionResult[] = [];
  /** `<tab> <call>`, in order. */
  readonly calls: string[] = [];
  readonly opened: { url: string; cookieStoreId: string | null }[] = [];
  readonly closed: number[] = [];
  /** Conversations whose page can be used again. */
  readonly freed: string[] = [];
  /** What people see of each end. */
  readonly ended: string[] = [];
  readonly reloaded: number[] = [];
  readonly kept: Kept;
  tabs: OpenTab[] = [];
  account: string | null = 'f1';
  /** The account of each container, where it is another one than `account`. */
  accounts: Record<string, string | null> = {};
  /** The account of a page that says who is signed in, where it is another one than that of its container. */
  pageAccounts: Record<string, string> = {};
  handlers: Handlers = {};
  isOn = true;
  maxTextChars: number | null = null;
  /** Writes to storage never end while it is set. */
  isStorageStuck = false;
  readonly deliveries: Deliveries;
  #listeners: ((event: TrafficEvent) => void)[] = [];
  readonly #looks = new Emitter<{ tabId: number; look: PageLook }>();
  #requests = 0;

  constructor(kept: Kept = { plans: [] }, clock = new TestClock()) {
    this.kept = kept;
    this.clock = clock;
    const site = plainSite(() => this.maxTextChars);
    this.deliveries = startDeliveries({
      siteOf: () => site,
      isOn: () => this.isOn,
      tabs: this.#tabs(),
      call: (tabId, name, order) => this.#call(tabId, name, order),
      traffic: { on: (listener) => this.#listen(listener) },
      account: (_platform, { cookieStoreId }) => this.#accountIn(cookieStoreId),
      accountOfPage: (_platform, container, { login }) =>
        Promise.resolve(this.pageAccounts[login?.account ?? ''] ?? this.#accountIn(container)),
      containerOf: (_platform, account) =>
        Object.keys(this.accounts).find((container) => this.accounts[container] === account) ?? null,
      looks: this.#looks,
      onFree: (_platform, conversationId) => void this.freed.push(conversationId),
      storage: {
        read: async () => {
          if (this.kept.isUnreadable) throw new Error('the disk is broken');
          return structuredClone(this.kept.plans);
        },
        write: (plans) => this.#write(plans),
      },
      clock,
      identity: () => ({ clientId: 'firefox-1', connectionId: 'k1' }),
      send: (frame) => void this.results.push(frame),
      ended: ({ conversationId, end }) => void this.ended.push(`${conversationId} ${end.outcome} ${end.reason}`),
      diagnostic: () => undefined,
    });
    this.tabs = [this.tab(17, 'https://chatgpt.com/c/c1')];
  }

  tab(id: number, url: string, more: Partial<OpenTab> = {}): OpenTab {
    return {
      id,
      url,
      windowId: 1,
      cookieStoreId: null,
      lastAccessed: id,
      isActive: false,
      isDiscarded: false,
      ...more,
    };
  }

  /** The stage of each plan in storage. */
  get stages(): string[] {
    return this.kept.plans.map(({ planId, stage, end }) => `${planId} ${stage} ${end?.outcome ?? '-'}`);
  }

  async deliver(more: Partial<ProxyDelivery> = {}): Promise<void> {
    this.deliveries.take(orderOf(more));
    await this.clock.flush();
  }

  async read(more: Partial<ReadCurrent> = {}): Promise<void> {
    const { type: _, plan_id, message_text, assistant_message_id, page_title, shell_page, ...order } = orderOf();
    this.deliveries.take({ ...order, request_id: 'q1', ...more, type: 'browser.read_current' });
    await this.clock.flush();
  }

  /** The page's own request for a message. Returns its id. */
  async sends(send: Partial<SeenSend> = {}, tabId = 17): Promise<string> {
    this.#requests += 1;
    const requestId = `request-${this.#requests}`;
    const whole = { ...seenSend(), ...send };
    await this.emit({ type: 'send', send: whole, ...this.from(requestId, tabId) });
    return requestId;
  }

  async responds(requestId: string, status: number, more: { isChallenge?: boolean; retryAfterMs?: number } = {}) {
    const head = { isChallenge: false, retryAfterMs: null, ...more };
    await this.emit({ type: 'status', status, ...head, ...this.from(requestId) });
  }

  /** The page of a tab says what it shows. */
  async shows(look: PageLook, tabId = 17): Promise<void> {
    this.#looks.emit({ tabId, look });
    await this.clock.flush();
  }

  from(requestId: string, tabId = 17, role: TrafficEvent['role'] = 'send') {
    return { platform: 'chatgpt' as const, tabId, requestId, role, at: this.clock.now() };
  }

  async emit(event: TrafficEvent): Promise<void> {
    for (const listener of this.#listeners) listener(event);
    await this.clock.flush();
  }

  #accountIn(container: string | null): string | null {
    return this.accounts[container ?? ''] ?? this.account;
  }

  #listen(listener: (event: TrafficEvent) => void): () => void {
    this.#listeners.push(listener);
    return () => {
      this.#listeners = this.#listeners.filter((one) => one !== listener);
    };
  }

  async #call<Name extends PageCallName>(tabId: number, name: Name, order: PageCalls[Name]['order']) {
    this.calls.push(`${tabId} ${name}`);
    const handler = this.handlers[name] ?? DEFAULTS[name];
    if (!handler) throw new Error(`no page responds to ${name}`);
    return (await (handler as (one: unknown) => unknown)(order)) as PageCalls[Name]['result'];
  }

  #write(plans: Plan[]): Promise<void> {
    if (this.isStorageStuck) return new Promise(() => undefined);
    this.kept.plans = structuredClone(plans);
    return Promise.resolve();
  }

  #tabs(): Tabs {
    return {
      all: () => Promise.resolve(this.tabs),
      exists: (tabId) => Promise.resolve(this.tabs.some(({ id }) => id === tabId)),
      open: (url, beside) => {
        this.opened.push({ url, cookieStoreId: beside?.cookieStoreId ?? null });
        const tab = this.tab(90 + this.opened.length, url, { cookieStoreId: beside?.cookieStoreId ?? null });
        this.tabs = [...this.tabs, tab];
        return Promise.resolve(tab);
      },
      reload: (tabId) => Promise.resolve(void this.reloaded.push(tabId)),
      close: (tabId) => Promise.resolve(void this.closed.push(tabId)),
    };
  }
}

const DEFAULTS: Handlers = {
  look: () => seenLook('c1'),
  compose: () => ({ typed: true, detail: { method: 'lines' } }),
  press: () => ({ pressed: true, detail: {} }),
  withdraw: () => ({ wasThere: false, isCleared: true }),
  view: () => ({ conversationId: 'c1', messages: [] }),
};

export function seenSend(): SeenSend {
  return {
    kind: 'message',
    conversationId: 'c1',
    userMessageId: 'u1',
    assistantMessageId: null,
    text: 'carry on',
    isTemporary: false,
    organizationId: null,
  };
}

export function orderOf(more: Partial<ProxyDelivery> = {}): ProxyDelivery {
  return {
    type: 'browser.proxy_delivery',
    request_id: 'r1',
    plan_id: 'p1',
    platform: 'chatgpt',
    client_id: 'firefox-1',
    tab_id: 17,
    conversation_id: 'c1',
    page_url: 'https://chatgpt.com/c/c1',
    page_title: null,
    message_text: 'carry on',
    assistant_message_id: null,
    timeout_ms: 20_000,
    shell_page: false,
    ...more,
  };
}

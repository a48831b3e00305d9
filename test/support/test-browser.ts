/**
 * A browser with the extension, as the agent sees it: it speaks the bridge's protocol over a real socket. A test sets the
 * pages that it shows and how it responds to deliveries; `client` gives access to single frames.
 */

import type { z } from 'zod';
import { BridgeClient } from '../../local-agent/stack/bridge-client.ts';
import type {
  ActionResult,
  BrowserTabSchema,
  ExtensionFrame,
  FinalMessage,
  ProxyDelivery,
  ReadCurrent,
} from '../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { PLATFORM_IDS } from '../../schema/contracts/common.ts';

export const ORIGIN = 'moz-extension://6f1c2f0e-1111-4222-8333-944455556666';

type Tab = z.input<typeof BrowserTabSchema>;
export type Page = Omit<Tab, 'observed_at'>;
type ClientState = Extract<ExtensionFrame, { type: 'browser.client_state' }>;
/** How a delivery is responded to: as delivered but for these fields, or not at all. */
export type DeliveryResponse = Partial<ActionResult> | 'silence';

const HOSTS: Record<Platform, string> = {
  chatgpt: 'https://chatgpt.com/c/',
  claude: 'https://claude.ai/chat/',
  gemini: 'https://gemini.google.com/app/',
};

/** The page of a conversation. */
export function pageOf(conversation: string, platform: Platform = 'chatgpt', tab_id = 17): Page {
  const page_url = `${HOSTS[platform]}${conversation}`;
  return { platform, conversation_id: conversation, page_url, page_title: null, tab_id, shell_page: false };
}

/** An assistant's final message in the conversation `c1` of `firefox-1`. */
export function finalMessage(change: Partial<FinalMessage> = {}): FinalMessage {
  return {
    type: 'browser.final_message',
    request_id: 'fm-1',
    client_id: 'firefox-1',
    ...pageOf('c1'),
    assistant_message_id: 'a-1',
    raw_text: 'hello',
    role: 'assistant',
    observed_at: 1_800_000_000_000,
    capture: { source: 'network', other: 'agrees' },
    ...change,
  };
}

/** A report of open pages; every platform in `logins` (by default `chatgpt`) has the account `f1`. */
export function clientState(
  request_id: string,
  pages: readonly Page[],
  { observed_at = 1, logins = ['chatgpt'] }: { observed_at?: number; logins?: readonly Platform[] } = {},
): ClientState {
  return {
    type: 'browser.client_state',
    request_id,
    tabs: pages.map((page) => ({ ...page, observed_at })),
    logins: logins.map((platform) => ({ platform, login: 'fresh', fingerprint: 'f1' })),
    request_hooks: [],
  };
}

/** The result of a delivery or reading: delivered with the platform's own 200, but for the change. */
export function actionResult(asked: ProxyDelivery | ReadCurrent, change: Partial<ActionResult> = {}): ActionResult {
  return {
    type: 'browser.action_result',
    request_id: asked.request_id,
    action: asked.type,
    accepted: true,
    completed: true,
    failed: false,
    reason: null,
    downstream: { method: 'replay', http_status: 200, seen_in_page: false, duration_ms: 5 },
    ...change,
  };
}

export interface TestBrowserOptions {
  /** The agent's local API. */
  agentUrl: string;
  clientId: string;
  token: string;
  origin?: string;
  platforms?: readonly Platform[];
}

const WAIT_MS = 120_000;
/** Longer than any test. */
const ENDLESS_MS = 3_600_000;

export class TestBrowser {
  readonly clientId: string;
  readonly client: BridgeClient;
  readonly #platforms: readonly Platform[];
  #pages: readonly Page[] = [];

  /** Connects a paired browser; resolves after its hello was accepted. */
  static async connect({
    origin = ORIGIN,
    platforms = PLATFORM_IDS,
    ...options
  }: TestBrowserOptions): Promise<TestBrowser> {
    const client = await BridgeClient.hello({ ...options, origin, platforms: [...platforms] });
    return new TestBrowser(options.clientId, client, platforms);
  }

  private constructor(clientId: string, client: BridgeClient, platforms: readonly Platform[]) {
    this.clientId = clientId;
    this.client = client;
    this.#platforms = platforms;
  }

  /** Opens these pages, signed in to every platform of this browser; the first is where the assistant speaks. */
  show(...pages: Page[]): void {
    this.#pages = pages;
    const report = { observed_at: Date.now(), logins: this.#platforms };
    this.client.send(clientState(`tabs-${crypto.randomUUID()}`, pages, report));
  }

  /**
   * The assistant finishes a message on `page`; resolves when the agent has acknowledged it. When it is not named, the
   * page does not show the message's id. `answers`: the plan of the delivery that it answers.
   */
  async says(
    id: string,
    text: string,
    {
      isNamed = true,
      page = this.#pages[0],
      answers,
    }: { isNamed?: boolean; page?: Page | undefined; answers?: string } = {},
  ): Promise<void> {
    const request_id = `say-${id}-${crypto.randomUUID()}`;
    const acknowledged = this.client.next('message_ack', (frame) => frame.request_id === request_id);
    const { assistant_message_id: _unnamed, ...message } = finalMessage({
      ...page,
      request_id,
      client_id: this.clientId,
      raw_text: text,
      observed_at: Date.now(),
    });
    this.client.send({
      ...message,
      ...(isNamed && { assistant_message_id: id }),
      ...(answers !== undefined && { answers_plan_id: answers }),
    });
    await acknowledged;
  }

  /** Takes the next delivery and responds to it, as delivered but for the change. */
  async delivers(change: Partial<ActionResult> = {}): Promise<ProxyDelivery> {
    const delivery = await this.client.next('browser.proxy_delivery', () => true, WAIT_MS);
    this.respond(delivery, change);
    return delivery;
  }

  respond(asked: ProxyDelivery | ReadCurrent, change: Partial<ActionResult> = {}): void {
    this.client.send(actionResult(asked, change));
  }

  /** Deliveries that the test has not taken. */
  pendingDeliveries(): ProxyDelivery[] {
    return this.client.untaken('browser.proxy_delivery');
  }

  /** Responds to every delivery from now on, until the socket closes. */
  serveDeliveries(respond: (delivery: ProxyDelivery) => DeliveryResponse | Promise<DeliveryResponse>): void {
    const next = () => this.client.next('browser.proxy_delivery', () => true, ENDLESS_MS);
    void this.#serve(next, async (delivery) => {
      const response = await respond(delivery);
      if (response !== 'silence') this.respond(delivery, response);
    });
  }

  /** Responds to every reading with the messages of the person that the site holds. */
  serveReadings(messagesIn: (conversation: string | null) => readonly string[]): void {
    const next = () => this.client.next('browser.read_current', () => true, ENDLESS_MS);
    void this.#serve(next, async (asked) => {
      const { conversation_id } = asked;
      const messages = messagesIn(conversation_id).map((text) => ({ role: 'user' as const, message_id: null, text }));
      this.respond(asked, { downstream: null, conversation: { conversation_id, source: 'site', messages } });
    });
  }

  async close(): Promise<void> {
    await this.client.close();
  }

  /** Handles one frame after the other until the socket has closed. */
  async #serve<T>(next: () => Promise<T>, handle: (frame: T) => Promise<void>): Promise<void> {
    let isOpen = true;
    void this.client.closed.then(() => {
      isOpen = false;
    });
    while (isOpen) {
      const frame = await next().catch(() => null);
      if (frame !== null) void handle(frame);
    }
  }
}

/** Firefox, as the background page uses it, played by a test: requests, tabs, storage, and the socket to the agent. */

import type { Socket, SocketListener } from '../../../extension/background/bridge/socket.ts';
import type {
  BeforeRequestDetails,
  Filter,
  FilterListener,
  HeadersReceivedDetails,
  RequestDetails,
  WebRequest,
} from '../../../extension/background/capture/web-request.ts';
import type { BackgroundEnv } from '../../../extension/background/env.ts';
import type { MessageSender } from '../../../extension/background/tabs/page-notices.ts';
import type { TabInfo } from '../../../extension/background/tabs/tabs-api.ts';
import { matcher } from '../../../extension/lib/match-pattern.ts';
import type { StorageArea } from '../../../extension/lib/storage.ts';
import type { Site } from '../../../extension/sites/site.ts';
import { newNonce, prove, unsealToken } from '../../../local-agent/lib/bridge-proof.ts';
import { sha256Hex } from '../../../local-agent/lib/hash.ts';
import type { ExtensionFrame, FinalMessage } from '../../../schema/contracts/bridge-frames.ts';
import type { BridgeHandshake } from '../../../schema/domain/bridge-proof.ts';
import { TestClock } from '../test-clock.ts';
import { until } from '../until.ts';
import { ORIGIN, testSite } from './test-site.ts';

export const EXTENSION_ID = 'conductor@test';
export const AGENT_URL = 'http://127.0.0.1:4317';
export const OWN_ORIGIN = 'moz-extension://6f1c2f0e-1111-4222-8333-944455556666';

class Listeners<Arguments extends unknown[]> {
  readonly #listeners: { run: (...args: Arguments) => unknown; urls: string[] }[] = [];

  addListener = (run: (...args: Arguments) => unknown, filter?: { urls: string[] }): void => {
    this.#listeners.push({ run, urls: filter?.urls ?? [] });
  };

  fire(...args: Arguments): void {
    for (const { run } of this.#listeners) run(...args);
  }

  /** As the browser does: only listeners whose patterns match that address. */
  fireFor(url: string, ...args: Arguments): void {
    for (const { run, urls } of this.#listeners) if (matcher(urls)(url)) run(...args);
  }
}

/** `browser.storage.local` on a disk that outlives the background page. */
export class TestStorage implements StorageArea {
  readonly items = new Map<string, unknown>();
  isFull = false;

  async keys(): Promise<string[]> {
    return [...this.items.keys()];
  }

  async get(keys: string[]): Promise<Record<string, unknown>> {
    const found = keys.filter((key) => this.items.has(key)).map((key) => [key, structuredClone(this.items.get(key))]);
    return Object.fromEntries(found) as Record<string, unknown>;
  }

  async set(items: Record<string, unknown>): Promise<void> {
    if (this.isFull) throw new Error('QuotaExceededError');
    for (const [key, value] of Object.entries(items)) this.items.set(key, structuredClone(value));
  }

  async remove(keys: string[]): Promise<void> {
    for (const key of keys) this.items.delete(key);
  }
}

/** One socket to the agent, with the agent's side in the hands of the test. */
export class TestSocket implements Socket {
  readonly url: string;
  readonly sent: ExtensionFrame[] = [];
  isClosed = false;
  #listener: SocketListener | null = null;

  constructor(url: string) {
    this.url = url;
  }

  listen(listener: SocketListener | null): void {
    this.#listener = listener;
  }

  send(text: string): void {
    if (this.isClosed) throw new Error('the socket is closed');
    this.sent.push(JSON.parse(text) as ExtensionFrame);
  }

  close(): void {
    this.isClosed = true;
  }

  accept(): void {
    this.#listener?.onOpen();
  }

  receive(frame: object): void {
    this.#listener?.onMessage(JSON.stringify(frame));
  }

  receiveText(text: string): void {
    this.#listener?.onMessage(text);
  }

  end(code: number, reason = ''): void {
    this.isClosed = true;
    this.#listener?.onClose(code, reason);
  }

  frames<Type extends ExtensionFrame['type']>(type: Type): Extract<ExtensionFrame, { type: Type }>[] {
    return this.sent.filter((frame): frame is Extract<ExtensionFrame, { type: Type }> => frame.type === type);
  }
}

export const SNAPSHOT = {
  system: { mode: 'running', version: 1 },
  conversations: [],
  browser: {
    instruction_ingest: { last_ingest: null, last_execute: null, recent_ingests: [], recent_executes: [] },
    clients: [],
  },
};

const MAX_KEPT_BYTES = 1024 * 1024;

/** A stream filter with the page's side in the hands of the test. */
export class TestFilter implements Filter {
  /** What the page has received. */
  readonly written: string[] = [];
  bytes = 0;
  isDisconnected = false;
  #listener: FilterListener | null = null;

  listen(listener: FilterListener): void {
    this.#listener = listener;
  }

  write(data: ArrayBuffer): void {
    this.bytes += data.byteLength;
    if (data.byteLength > MAX_KEPT_BYTES) return;
    this.written.push(new TextDecoder().decode(data));
  }

  disconnect(): void {
    this.isDisconnected = true;
  }

  /** Bytes whose content does not matter. */
  zeros(length: number): void {
    this.#listener?.onData(new ArrayBuffer(length));
  }

  data(body: string | Uint8Array<ArrayBuffer>): void {
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body.slice();
    this.#listener?.onData(bytes.buffer);
  }

  stop(): void {
    this.#listener?.onStop();
  }

  error(): void {
    this.#listener?.onError();
  }
}

type Details = Partial<RequestDetails> & { url: string };

export class TestEnv {
  readonly clock = new TestClock();
  readonly sockets: TestSocket[] = [];
  readonly filters = new Map<string, TestFilter>();
  readonly storage: TestStorage;
  readonly sites: readonly Site[];
  openTabs: TabInfo[] = [];
  provision: string | null = null;
  /** How the content script of a tab responds to a call. */
  onPageCall: (tabId: number, call: { call: string; order: unknown }) => unknown = () => undefined;
  readonly env: BackgroundEnv;
  readonly #before = new Listeners<[BeforeRequestDetails]>();
  readonly #headers = new Listeners<[HeadersReceivedDetails]>();
  readonly #redirect = new Listeners<[RequestDetails & { redirectUrl: string }]>();
  readonly #completed = new Listeners<[RequestDetails]>();
  readonly #failed = new Listeners<[RequestDetails & { error: string }]>();
  readonly tabCreated = new Listeners<[TabInfo]>();
  readonly tabUpdated = new Listeners<[number, object, TabInfo]>();
  readonly tabRemoved = new Listeners<[number]>();
  readonly #messages = new Listeners<[unknown, MessageSender]>();
  readonly alarm = new Listeners<[]>();
  readonly browserStart = new Listeners<[]>();
  readonly #storageChanged = new Listeners<[readonly string[]]>();
  #ids = 0;
  #agentNonce = '';

  constructor({ storage = new TestStorage(), sites = [testSite()] }: { storage?: TestStorage; sites?: Site[] } = {}) {
    this.storage = storage;
    this.sites = sites;
    this.env = {
      sites,
      clock: this.clock,
      random: () => 0,
      newId: () => {
        this.#ids += 1;
        return `id-${this.#ids}`;
      },
      storage,
      webRequest: this.webRequest(),
      tabs: {
        query: async () => this.openTabs,
        get: async (tabId) => {
          const tab = this.openTabs.find(({ id }) => id === tabId);
          if (tab === undefined) throw new Error(`there is no tab ${tabId}`);
          return tab;
        },
        create: async ({ url }) => {
          const tab = { id: this.openTabs.length + 100, url };
          this.openTabs = [...this.openTabs, tab];
          return tab;
        },
        reload: async () => undefined,
        remove: async () => undefined,
        sendMessage: async (tabId, message) => this.onPageCall(tabId, message as { call: string; order: unknown }),
        onCreated: this.tabCreated,
        onUpdated: this.tabUpdated,
        onRemoved: this.tabRemoved,
        onReplaced: new Listeners<[number, number]>(),
      },
      openSocket: (url) => {
        const socket = new TestSocket(url);
        this.sockets.push(socket);
        return socket;
      },
      extensionId: EXTENSION_ID,
      extensionVersion: '1.2.3',
      browserName: async () => 'Firefox 140',
      readProvision: async () => this.provision,
      onMessage: (listener) => this.#messages.addListener(listener),
      onBrowserStart: (listener) => this.browserStart.addListener(listener),
      onAlarm: (listener) => this.alarm.addListener(listener),
      onStorageChanged: (listener) => this.#storageChanged.addListener(listener),
      people: {
        onConnect: () => undefined,
        ownOrigin: `${OWN_ORIGIN}/`,
        manifestVersion: 2,
        translate: (text) => (typeof text === 'string' ? text : text.key),
        showBadge: () => undefined,
        notifications: { show: async () => undefined, clear: async () => undefined, onClicked: () => undefined },
        showTab: async () => undefined,
        openPage: async () => undefined,
        openOptions: async () => undefined,
        openApproval: async () => 'opened',
        isPermitted: async () => true,
        onPermissionsChanged: () => undefined,
      },
    };
  }

  webRequest(): WebRequest {
    return {
      onBeforeRequest: this.#before,
      onHeadersReceived: this.#headers,
      onBeforeRedirect: this.#redirect,
      onCompleted: this.#completed,
      onErrorOccurred: this.#failed,
      filterResponseData: (requestId) => {
        const filter = new TestFilter();
        this.filters.set(requestId, filter);
        return filter;
      },
    };
  }

  /** The newest socket to the agent. */
  get socket(): TestSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('no socket was opened');
    return socket;
  }

  filter(requestId: string): TestFilter {
    const filter = this.filters.get(requestId);
    if (filter === undefined) throw new Error(`the body of ${requestId} is not read`);
    return filter;
  }

  /** This browser is paired with an agent. */
  pair(): this {
    this.storage.items.set('pairing', { agent_url: AGENT_URL, client_id: 'firefox-1', token: 'the-token' });
    return this;
  }

  /** The agent accepts the newest socket and greets. */
  async greet(): Promise<void> {
    // A hash is computed by another thread.
    await until(() => this.sockets.at(-1)?.isClosed === false);
    this.socket.accept();
    this.proveAgent();
    await until(() => this.socket.frames('hello').length > 0);
    this.socket.receive({ type: 'hello_ack', connection_id: 'c1', snapshot: SNAPSHOT });
    await this.clock.flush();
  }

  /** The token of the pairing that is stored now. */
  get token(): string {
    return (this.storage.items.get('pairing') as { token: string }).token;
  }

  /** The handshake of the newest socket, as the agent of the pairing sees it. */
  handshake(agent_nonce: string): BridgeHandshake {
    const { client_id = '', nonce = '' } = this.socket.frames('challenge')[0] ?? {};
    return { browser_nonce: nonce, agent_nonce, origin: OWN_ORIGIN, client_id, port: Number(new URL(AGENT_URL).port) };
  }

  /** The agent proves itself on the newest socket. Returns what it has sent. */
  proveAgent(nonce = newNonce()) {
    const proof = prove(sha256Hex(this.token), 'agent', this.handshake(nonce));
    const frame = { type: 'agent_proof', nonce, proof } as const;
    this.socket.receive(frame);
    this.#agentNonce = nonce;
    return frame;
  }

  /** The token that the agent reads in the hello of the newest socket. */
  get tokenOfHello(): string | null {
    const { sealed_token = '' } = this.socket.frames('hello')[0] ?? {};
    return unsealToken(sha256Hex(this.token), this.handshake(this.#agentNonce), sealed_token);
  }

  /** Resolves when the agent has got that many final messages over the newest socket. */
  async finalMessages(count: number): Promise<FinalMessage[]> {
    await until(() => this.socket.frames('browser.final_message').length >= count);
    return this.socket.frames('browser.final_message');
  }

  /** `bytes`: a body that is no JSON. */
  request(requestId: string, details: Details & { body?: unknown; bytes?: ArrayBuffer }): void {
    const { body, bytes: given, ...rest } = details;
    const bytes = body === undefined ? given : new TextEncoder().encode(JSON.stringify(body)).buffer;
    this.#before.fireFor(details.url, {
      ...this.#details(requestId, rest),
      ...(bytes && { requestBody: { raw: [{ bytes }] } }),
    });
  }

  headers(requestId: string, url: string, statusCode = 200, headers: Record<string, string> = {}): void {
    const responseHeaders = Object.entries(headers).map(([name, value]) => ({ name, value }));
    this.#headers.fireFor(url, { ...this.#details(requestId, { url }), statusCode, responseHeaders });
  }

  redirect(requestId: string, url: string, redirectUrl: string): void {
    this.#redirect.fireFor(url, { ...this.#details(requestId, { url }), redirectUrl });
  }

  completed(requestId: string, url: string): void {
    this.#completed.fireFor(url, this.#details(requestId, { url }));
  }

  failed(requestId: string, url: string, error = 'NS_BINDING_ABORTED'): void {
    this.#failed.fireFor(url, { ...this.#details(requestId, { url }), error });
  }

  message(message: unknown, sender: MessageSender): void {
    this.#messages.fire(message, sender);
  }

  storageChanged(...keys: string[]): void {
    this.#storageChanged.fire(keys);
  }

  /** The person's page sends a message, and the response to it is a stream of these events. */
  async exchange(requestId: string, send: object, events: readonly object[], tabId = 1): Promise<void> {
    const url = `${ORIGIN}/api/send`;
    this.request(requestId, { url, method: 'POST', body: send, tabId });
    this.headers(requestId, url);
    const filter = this.filter(requestId);
    filter.data(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    filter.stop();
    this.completed(requestId, url);
    await this.clock.flush();
  }

  #details(requestId: string, details: Details): RequestDetails {
    return {
      requestId,
      method: 'GET',
      tabId: 1,
      frameId: 0,
      type: 'xmlhttprequest',
      timeStamp: this.clock.now(),
      documentUrl: `${ORIGIN}/c/c1`,
      originUrl: ORIGIN,
      ...details,
    };
  }
}

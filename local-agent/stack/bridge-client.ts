/**
 * The extension's side of the bridge without a browser, for the demo and the tests. Received frames are kept until
 * `next` takes them, so that a frame that arrives early is not missed.
 */
import { WebSocket } from 'ws';
import type { ActionResult, AgentBridgeFrame, ExtensionFrame } from '../../schema/contracts/bridge-frames.ts';
import { AgentBridgeFrameSchema } from '../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { PLATFORM_IDS } from '../../schema/contracts/common.ts';
import { isProof, newNonce, prove, sealToken } from '../lib/bridge-proof.ts';
import { sha256Hex } from '../lib/hash.ts';

type FrameType = AgentBridgeFrame['type'];
type FrameOf<T extends FrameType> = Extract<AgentBridgeFrame, { type: T }>;
type Delivery = FrameOf<'browser.proxy_delivery'>;

interface Waiter {
  matches(frame: AgentBridgeFrame): boolean;
  resolve(frame: AgentBridgeFrame): void;
  reject(error: Error): void;
}

export interface Closed {
  code: number;
  reason: string;
}

export interface ConnectOptions {
  /** The agent's local API, `http://127.0.0.1:4317`. */
  agentUrl: string;
  /** The `Origin` header; not sent when absent. */
  origin?: string;
  /** Further headers, such as a foreign `Host`. */
  headers?: Record<string, string>;
}

/** The agent refused the upgrade to a WebSocket. */
export class UpgradeRefused extends Error {
  override readonly name = 'UpgradeRefused';
  readonly status: number;

  constructor(status: number) {
    super(`the bridge refused the upgrade with ${status}`);
    this.status = status;
  }
}

/** Long enough for an agent on a busy machine. */
const DEFAULT_WAIT_MS = 60_000;

export class BridgeClient {
  /** Resolves when the socket has closed. */
  readonly closed: Promise<Closed>;
  readonly #ws: WebSocket;
  readonly #frames: AgentBridgeFrame[] = [];
  readonly #waiters = new Set<Waiter>();
  #end: Closed | null = null;

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on('message', (data) => this.#onFrame(AgentBridgeFrameSchema.parse(JSON.parse(data.toString()))));
    ws.on('error', () => ws.terminate());
    this.closed = new Promise((resolve) => {
      ws.on('close', (code, reason) => {
        this.#end = { code, reason: reason.toString() };
        for (const waiter of this.#waiters) waiter.reject(this.#closedError());
        this.#waiters.clear();
        resolve(this.#end);
      });
    });
  }

  /** @throws UpgradeRefused with the status of the response. */
  static connect(options: ConnectOptions): Promise<BridgeClient> {
    const url = new URL('/ws/firefox', options.agentUrl.replace(/^http/, 'ws'));
    const headers = { ...options.headers, ...(options.origin !== undefined && { origin: options.origin }) };
    const ws = new WebSocket(url, { headers });
    const client = new BridgeClient(ws);
    return new Promise((resolve, reject) => {
      ws.once('open', () => resolve(client));
      ws.once('error', reject);
      ws.once('unexpected-response', (request, response) => {
        reject(new UpgradeRefused(response.statusCode ?? 0));
        request.destroy();
      });
    });
  }

  /** Connects as a paired client and waits for `hello_ack`. @throws Error when the agent does not prove itself. */
  static async hello(
    options: ConnectOptions & { clientId: string; token: string; platforms?: Platform[] },
  ): Promise<BridgeClient> {
    const { clientId: client_id, token, origin = '' } = options;
    const client = await BridgeClient.connect(options);
    const browser_nonce = newNonce();
    client.send({ type: 'challenge', client_id, nonce: browser_nonce });
    const agent = await client.next('agent_proof');
    const port = Number(new URL(options.agentUrl).port);
    const handshake = { browser_nonce, agent_nonce: agent.nonce, origin, client_id, port };
    const tokenHash = sha256Hex(token);
    if (!isProof(tokenHash, 'agent', handshake, agent.proof)) throw new Error('this is not the agent of the pairing');
    client.send({
      type: 'hello',
      client_id,
      browser: 'bridge-client',
      extension_version: '0.0.0',
      platforms: options.platforms ?? [...PLATFORM_IDS],
      proof: prove(tokenHash, 'browser', handshake),
      sealed_token: sealToken(tokenHash, handshake, token),
    });
    await client.next('hello_ack');
    return client;
  }

  send(frame: ExtensionFrame): void {
    this.sendText(JSON.stringify(frame));
  }

  /** Sends text that need not be a valid frame. */
  sendText(text: string): void {
    this.#ws.send(text);
  }

  /**
   * Takes the oldest kept frame of that type that meets the condition, or waits for the next one.
   *
   * @throws Error when the socket closes first, or when no such frame arrives within `timeoutMs`.
   */
  async next<T extends FrameType>(
    type: T,
    condition: (frame: FrameOf<T>) => boolean = () => true,
    timeoutMs = DEFAULT_WAIT_MS,
  ): Promise<FrameOf<T>> {
    const isMatch = (frame: AgentBridgeFrame): frame is FrameOf<T> =>
      frame.type === type && condition(frame as FrameOf<T>);
    const index = this.#frames.findIndex(isMatch);
    const [found] = index < 0 ? [] : this.#frames.splice(index, 1);
    return (found ?? (await this.#waitFor(type, isMatch, timeoutMs))) as FrameOf<T>;
  }

  /** The kept frames of that type, which stay kept. */
  untaken<T extends FrameType>(type: T): FrameOf<T>[] {
    return this.#frames.filter((frame): frame is FrameOf<T> => frame.type === type);
  }

  /** Sends the result of a delivery; without `change` a success of the page's own request, with HTTP status 200. */
  answer(delivery: Delivery, change: Partial<ActionResult> = {}): void {
    this.send({
      type: 'browser.action_result',
      request_id: delivery.request_id,
      action: delivery.type,
      accepted: true,
      completed: true,
      failed: false,
      reason: null,
      downstream: { method: 'replay', http_status: 200, seen_in_page: true, duration_ms: 1 },
      ...change,
    });
  }

  async close(): Promise<void> {
    this.#ws.close();
    await this.closed;
  }

  #onFrame(frame: AgentBridgeFrame): void {
    for (const waiter of this.#waiters) {
      if (!waiter.matches(frame)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(frame);
      return;
    }
    this.#frames.push(frame);
  }

  #waitFor(type: FrameType, matches: Waiter['matches'], timeoutMs: number): Promise<AgentBridgeFrame> {
    if (this.#end) return Promise.reject(this.#closedError());
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        matches,
        resolve(frame) {
          clearTimeout(timer);
          resolve(frame);
        },
        reject(error) {
          clearTimeout(timer);
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new Error(`no ${type} within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  #closedError(): Error {
    return new Error(`the bridge closed the socket: ${this.#end?.code} ${this.#end?.reason}`);
  }
}

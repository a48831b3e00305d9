/**
 * The extension's side of the bridge without a browser: the demo and the tests speak through it. Frames are kept until
 * somebody asks for them, so `next` never misses one that came before; nothing here waits for time but its limit.
 */
import { WebSocket } from 'ws';
import type { ActionResult, AgentBridgeFrame, ExtensionFrame } from '../../schema/contracts/bridge-frames.ts';
import { AgentBridgeFrameSchema } from '../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { PLATFORM_IDS } from '../../schema/contracts/common.ts';

type FrameType = AgentBridgeFrame['type'];
type FrameOf<T extends FrameType> = Extract<AgentBridgeFrame, { type: T }>;
type Delivery = FrameOf<'browser.proxy_delivery'>;

interface Waiter {
  takes(frame: AgentBridgeFrame): boolean;
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
  /** Sent as `Origin`; none when absent. */
  origin?: string;
  /** Other headers, such as a foreign `Host`. */
  headers?: Record<string, string>;
}

/** The upgrade was refused. */
export class UpgradeRefused extends Error {
  override readonly name = 'UpgradeRefused';
  readonly status: number;

  constructor(status: number) {
    super(`the bridge refused the upgrade with ${status}`);
    this.status = status;
  }
}

const DEFAULT_WAIT_MS = 10_000;

export class BridgeClient {
  /** Resolves when the socket has closed. */
  readonly closed: Promise<Closed>;
  readonly #ws: WebSocket;
  readonly #frames: AgentBridgeFrame[] = [];
  readonly #waiters = new Set<Waiter>();
  #end: Closed | null = null;

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on('message', (data) => this.#take(AgentBridgeFrameSchema.parse(JSON.parse(data.toString()))));
    ws.on('error', () => ws.terminate());
    this.closed = new Promise((resolve) => {
      ws.on('close', (code, reason) => {
        this.#end = { code, reason: reason.toString() };
        for (const waiter of this.#waiters) waiter.reject(this.#gone());
        this.#waiters.clear();
        resolve(this.#end);
      });
    });
  }

  /** @throws UpgradeRefused with the status that the bridge answered. */
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

  /** Connects as a paired client and waits for `hello_ack`. */
  static async hello(
    options: ConnectOptions & { clientId: string; token: string; platforms?: Platform[] },
  ): Promise<BridgeClient> {
    const client = await BridgeClient.connect(options);
    client.send({
      type: 'hello',
      client_id: options.clientId,
      browser: 'bridge-client',
      extension_version: '0.0.0',
      platforms: options.platforms ?? [...PLATFORM_IDS],
      token: options.token,
    });
    await client.next('hello_ack');
    return client;
  }

  send(frame: ExtensionFrame): void {
    this.sendText(JSON.stringify(frame));
  }

  /** Sends what the contract may not allow. */
  sendText(text: string): void {
    this.#ws.send(text);
  }

  /**
   * The oldest frame of that type that nobody has taken yet, as soon as there is one.
   *
   * @throws Error when the socket closes first, or nothing came within `timeoutMs`.
   */
  async next<T extends FrameType>(
    type: T,
    where: (frame: FrameOf<T>) => boolean = () => true,
    timeoutMs = DEFAULT_WAIT_MS,
  ): Promise<FrameOf<T>> {
    const isOne = (frame: AgentBridgeFrame): frame is FrameOf<T> => frame.type === type && where(frame as FrameOf<T>);
    const index = this.#frames.findIndex(isOne);
    const [found] = index < 0 ? [] : this.#frames.splice(index, 1);
    return (found ?? (await this.#wait(type, isOne, timeoutMs))) as FrameOf<T>;
  }

  /** Frames of that type that nobody has taken. */
  untaken<T extends FrameType>(type: T): FrameOf<T>[] {
    return this.#frames.filter((frame): frame is FrameOf<T> => frame.type === type);
  }

  /** Answers a delivery; without `change` as delivered by the page's own request, with its 200. */
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

  #take(frame: AgentBridgeFrame): void {
    for (const waiter of this.#waiters) {
      if (!waiter.takes(frame)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(frame);
      return;
    }
    this.#frames.push(frame);
  }

  #wait(type: FrameType, takes: Waiter['takes'], timeoutMs: number): Promise<AgentBridgeFrame> {
    if (this.#end) return Promise.reject(this.#gone());
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        takes,
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

  #gone(): Error {
    return new Error(`the bridge closed the socket: ${this.#end?.code} ${this.#end?.reason}`);
  }
}

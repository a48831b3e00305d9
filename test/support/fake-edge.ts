import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { AgentFrame, EdgeFrame } from '../../schema/contracts/channel-frames.ts';
import { AgentFrameSchema, PING, pongText } from '../../schema/contracts/channel-frames.ts';
import type { LeaderAcquireResponse, LeaseView } from '../../schema/contracts/leader.ts';
import type { ErrorCode } from '../../schema/errors.ts';
import { ERROR_STATUS } from '../../schema/errors.ts';

export interface SeenRequest {
  method: string;
  /** With its query. */
  path: string;
  headers: IncomingMessage['headers'];
  body: unknown;
}

/** Data, an error code, or `drop`: the connection is cut after the request was received. */
export type Response =
  | { data: unknown; status?: number; headers?: Record<string, string> }
  | { error: ErrorCode; headers?: Record<string, string> }
  | 'drop';
export type Responder = (request: SeenRequest) => Response | Promise<Response>;

export function leaseView(over: Partial<LeaseView> = {}): LeaseView {
  return {
    lease_name: 'global',
    holder_id: null,
    holder_host: null,
    holder_preferred: false,
    term: 0,
    lease_expires_at: null,
    renewed_at: null,
    expires_in_ms: 0,
    preferred_holder_id: null,
    metadata: {},
    ...over,
  };
}

/** A lease response: granted, unless `is_leader` is changed. */
export function leaseResponse(over: Partial<LeaderAcquireResponse> = {}): LeaderAcquireResponse {
  const lease = leaseView({ holder_id: 'node-a', term: 1, expires_in_ms: 30_000, ...over });
  return {
    holder_id: 'node-a',
    holder_host: 'localhost',
    term: 1,
    lease_expires_at: null,
    renewed_at: null,
    expires_in_ms: 30_000,
    is_leader: true,
    operation: 'renew',
    yield_to: null,
    ...over,
    lease: over.lease ?? lease,
  };
}

/** One node's socket as the edge sees it. */
export class FakeChannel {
  readonly frames: AgentFrame[] = [];
  readonly socket: WebSocket;
  readonly headers: IncomingMessage['headers'];
  readonly #waiters = new Set<() => void>();

  constructor(socket: WebSocket, headers: IncomingMessage['headers'], edge: FakeEdge) {
    this.socket = socket;
    this.headers = headers;
    socket.on('message', (data) => {
      const text = String(data);
      if (text === PING) {
        edge.pings += 1;
        if (edge.sendsPongs) socket.send(pongText(edge.pong.mode_version, edge.pong.term));
        return;
      }
      this.frames.push(AgentFrameSchema.parse(JSON.parse(text)));
      for (const wake of [...this.#waiters]) wake();
    });
  }

  send(frame: EdgeFrame): void {
    this.socket.send(JSON.stringify(frame));
  }

  greet(over: Partial<Extract<EdgeFrame, { type: 'hello_ack' }>> = {}): void {
    this.send({
      type: 'hello_ack',
      mode: 'running',
      mode_version: 1,
      lease: leaseView(),
      candidate: false,
      commands: [],
      ...over,
    });
  }

  /** The first frame of that type, now or when it comes. */
  async frame<T extends AgentFrame['type']>(type: T): Promise<Extract<AgentFrame, { type: T }>> {
    for (;;) {
      const found = this.frames.find((frame): frame is Extract<AgentFrame, { type: T }> => frame.type === type);
      if (found) return found;
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiters.delete(wake);
          resolve();
        };
        this.#waiters.add(wake);
      });
    }
  }
}

/** An edge for tests of the agent: a test sets its responses, and it keeps the requests. */
export class FakeEdge {
  readonly requests: SeenRequest[] = [];
  readonly channels: FakeChannel[] = [];
  sendsPongs = true;
  acceptsChannels = true;
  pings = 0;
  pong = { mode_version: 1, term: 0 };
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #routes: { method: string; path: RegExp; respond: Responder }[] = [];
  readonly #waiters = new Set<() => void>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => void this.#serve(request, response));
    server.on('upgrade', (request, socket, head) => {
      if (!this.acceptsChannels) {
        socket.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n');
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (ws) => {
        this.channels.push(new FakeChannel(ws, request.headers, this));
        this.#wake();
      });
    });
  }

  static async start(): Promise<FakeEdge> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FakeEdge(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The newest route of a path wins. */
  on(method: string, path: RegExp, respond: Responder): this {
    this.#routes.unshift({ method, path, respond });
    return this;
  }

  /** The socket number `index`, now or when it connects. */
  async channel(index = 0): Promise<FakeChannel> {
    return this.#until(() => this.channels[index]);
  }

  /** The requests to a path, once there are `count` of them. */
  async seen(path: RegExp, count = 1): Promise<SeenRequest[]> {
    return this.#until(() => {
      const found = this.requests.filter((request) => path.test(request.path));
      return found.length >= count ? found : undefined;
    });
  }

  async stop(): Promise<void> {
    for (const { socket } of this.channels) socket.terminate();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #until<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiters.delete(wake);
          resolve();
        };
        this.#waiters.add(wake);
      });
    }
  }

  #wake(): void {
    for (const wake of [...this.#waiters]) wake();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const text = Buffer.concat(chunks).toString();
    const { method = 'GET', url: path = '/', headers } = request;
    const seen: SeenRequest = { method, path, headers, body: text === '' ? undefined : JSON.parse(text) };
    const route = this.#routes.find((one) => one.method === method && one.path.test(path));
    const reply: Response = route ? await route.respond(seen) : { error: 'not_found' };
    this.requests.push(seen);
    if (reply === 'drop') request.socket.destroy();
    else this.#send(response, reply);
    this.#wake();
  }

  #send(response: ServerResponse, reply: Exclude<Response, 'drop'>): void {
    const failed = 'error' in reply;
    const status = failed ? ERROR_STATUS[reply.error] : (reply.status ?? 200);
    response.writeHead(status, { 'content-type': 'application/json', ...reply.headers });
    const body = failed
      ? { ok: false, request_id: 'req_test', error: reply.error, message: `refused: ${reply.error}`, details: {} }
      : { ok: true, request_id: 'req_test', data: reply.data };
    response.end(JSON.stringify(body));
  }
}

/**
 * The node's socket to the edge. It pings with an exact string that the platform answers without waking anything;
 * a pong that names a newer mode or term than is known makes the node read again. Two pings without a pong, or a
 * renewal without an answer, end the socket: the next begins with `hello` and is told everything anew. The channel
 * carries notices only; what must not be lost goes through the outbox.
 */
import { WebSocket } from 'ws';
import { z } from 'zod';
import type { AgentFrame, EdgeFrame } from '../../schema/contracts/channel-frames.ts';
import { CLOSE, EdgeFrameSchema, PING, parsePong } from '../../schema/contracts/channel-frames.ts';
import type { LeaderAcquireResponse } from '../../schema/contracts/leader.ts';
import { CHANNEL, HTTP } from '../../schema/defaults.ts';
import type { Backoff } from '../../schema/domain/retry.ts';
import { retryDelayMs } from '../../schema/domain/retry.ts';
import type { Clock } from '../lib/clock.ts';
import { Emitter } from '../lib/emitter.ts';

const UNANSWERED_PINGS = 2;
const RECONNECT: Backoff = { base_ms: CHANNEL.reconnect_base_ms, max_ms: CHANNEL.reconnect_max_ms, jitter: 'full' };
/** So many failures in a row make the next wait the longest. */
const FAILURES_TO_LONGEST_WAIT = Math.ceil(Math.log2(RECONNECT.max_ms / RECONNECT.base_ms));
const FrameTypeSchema = z.object({ type: z.string().max(64) });

export type HelloFrame = Extract<AgentFrame, { type: 'hello' }>;
export type HelloAck = Extract<EdgeFrame, { type: 'hello_ack' }>;
/** Frames that are pushed, each handled elsewhere. */
export type PushedFrame = Extract<EdgeFrame, { type: 'mode.changed' | 'lease.changed' | 'changed' | 'command' }>;

export interface ChannelDeps {
  /** `ws://` or `wss://` address of the channel. */
  url: string;
  token: string;
  pingIntervalMs: number;
  clock: Clock;
  random: () => number;
  hello: () => HelloFrame;
  onPong: (pong: { mode_version: number; term: number }) => void;
  onHelloAck: (ack: HelloAck) => void;
  onPushed: (frame: PushedFrame) => void;
  onProblem: (message: string, fields: Record<string, unknown>) => void;
}

interface Renewal {
  resolve: (answer: LeaderAcquireResponse) => void;
  reject: (error: Error) => void;
  cancelTimeout: () => void;
}

/** One socket's life; thrown away with it. */
interface Connection {
  socket: WebSocket;
  ready: boolean;
  unanswered: number;
  renewal: Renewal | null;
  cancelPing: () => void;
  cancelHello: () => void;
}

export class Channel {
  /** Emitted when the channel becomes usable, and when it no longer is. */
  readonly connected = new Emitter<boolean>();
  readonly #deps: ChannelDeps;
  #running = false;
  /** Connections in a row that failed or were lost before the edge had greeted back. */
  #failures = 0;
  #connection: Connection | null = null;
  #cancelReconnect: () => void = () => undefined;

  constructor(deps: ChannelDeps) {
    this.#deps = deps;
  }

  /** Whether the edge has greeted back on a live socket. */
  get isReady(): boolean {
    return this.#connection?.ready ?? false;
  }

  start(): void {
    this.#running = true;
    this.#connect();
  }

  /** Closes the socket and stays away. */
  stop(): void {
    this.#running = false;
    this.#cancelReconnect();
    const connection = this.#connection;
    if (connection === null) return;
    connection.socket.close(1000);
    this.#gone(connection, 'stopped');
  }

  /** Sends a frame; false when there is no usable socket. */
  send(frame: AgentFrame): boolean {
    const connection = this.#connection;
    if (connection === null || !connection.ready || connection.socket.readyState !== WebSocket.OPEN) return false;
    connection.socket.send(JSON.stringify(frame));
    return true;
  }

  /**
   * Renews the lease over this socket; null when there is none. One at a time. Answers carry no id, so one that
   * does not come within `limitMs` ends the socket: no later answer can be taken for that of another request.
   */
  renew(term: number, ttlSec: number, limitMs: number): Promise<LeaderAcquireResponse> | null {
    const connection = this.#connection;
    if (connection === null || connection.renewal !== null) return null;
    if (!this.send({ type: 'lease.renew', term, ttl_sec: ttlSec })) return null;
    return new Promise((resolve, reject) => {
      const cancelTimeout = this.#deps.clock.after(limitMs, () => this.#drop(connection, 'a renewal was not answered'));
      connection.renewal = { resolve, reject, cancelTimeout };
    });
  }

  #connect(): void {
    const { url, token, clock } = this.#deps;
    const socket = new WebSocket(url, {
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout: HTTP.request_timeout_ms,
      maxPayload: CHANNEL.max_frame_bytes,
    });
    const none = () => undefined;
    const connection: Connection = {
      socket,
      ready: false,
      unanswered: 0,
      renewal: null,
      cancelPing: none,
      cancelHello: none,
    };
    this.#connection = connection;
    socket.on('open', () => {
      socket.send(JSON.stringify(this.#deps.hello()));
      connection.cancelHello = clock.after(HTTP.request_timeout_ms, () =>
        this.#drop(connection, 'hello was not answered'),
      );
      this.#pingLater(connection);
    });
    socket.on('message', (data, isBinary) => {
      if (!isBinary) this.#receive(connection, String(data));
    });
    socket.on('unexpected-response', (request, response) => {
      request.destroy();
      this.#gone(connection, `the edge answered the upgrade with HTTP ${response.statusCode ?? 0}`);
    });
    // An error is always followed by a close; it is told there.
    socket.on('error', (error) => this.#gone(connection, error.message));
    socket.on('close', (code) => this.#closed(connection, code));
  }

  /** A socket of ours is replaced by another process only: the two must not take it from each other without pause. */
  #closed(connection: Connection, code: number): void {
    const isReplaced = code === CLOSE.replaced && this.#connection === connection;
    if (isReplaced) this.#failures = FAILURES_TO_LONGEST_WAIT;
    this.#gone(connection, isReplaced ? 'another agent runs under the id of this node' : `closed with ${code}`);
  }

  #drop(connection: Connection, reason: string): void {
    connection.socket.terminate();
    this.#gone(connection, reason);
  }

  /** The end of a socket, whoever noticed it first. */
  #gone(connection: Connection, reason: string): void {
    if (this.#connection !== connection) return;
    this.#connection = null;
    connection.cancelPing();
    connection.cancelHello();
    const { renewal, ready } = connection;
    renewal?.cancelTimeout();
    renewal?.reject(new Error(`the channel was lost: ${reason}`));
    if (this.#running) {
      this.#failures += 1;
      const delayMs = retryDelayMs(this.#failures, RECONNECT, this.#deps.random());
      this.#deps.onProblem('the channel to the edge was lost', { reason, retry_in_ms: delayMs });
      this.#cancelReconnect = this.#deps.clock.after(delayMs, () => this.#connect());
    }
    // Whoever stopped it knows.
    if (ready && this.#running) this.connected.emit(false);
  }

  #pingLater(connection: Connection): void {
    connection.cancelPing = this.#deps.clock.after(this.#deps.pingIntervalMs, () => {
      if (connection.unanswered >= UNANSWERED_PINGS) {
        this.#drop(connection, `${UNANSWERED_PINGS} pings were not answered`);
        return;
      }
      connection.unanswered += 1;
      connection.socket.send(PING);
      this.#pingLater(connection);
    });
  }

  #receive(connection: Connection, text: string): void {
    if (this.#connection !== connection) return;
    const pong = parsePong(text);
    if (pong) {
      connection.unanswered = 0;
      this.#deps.onPong(pong);
      return;
    }
    const frame = EdgeFrameSchema.safeParse(readJson(text));
    if (frame.success) this.#handle(connection, frame.data);
    else this.#complain(connection, text);
  }

  #handle(connection: Connection, frame: EdgeFrame): void {
    switch (frame.type) {
      case 'hello_ack':
        connection.cancelHello();
        connection.ready = true;
        this.#failures = 0;
        this.#deps.onHelloAck(frame);
        this.connected.emit(true);
        return;
      case 'lease.result':
        this.#renewed(connection, (renewal) => renewal.resolve(frame));
        return;
      case 'error':
        this.#deps.onProblem('the edge reported an error on the channel', { re: frame.re, code: frame.code });
        if (frame.re === 'lease.renew') this.#renewed(connection, (renewal) => renewal.reject(new Error(frame.code)));
        return;
      default:
        this.#deps.onPushed(frame);
    }
  }

  #renewed(connection: Connection, settle: (renewal: Renewal) => void): void {
    const { renewal } = connection;
    connection.renewal = null;
    if (renewal === null) return;
    renewal.cancelTimeout();
    settle(renewal);
  }

  /** A frame that this version cannot read: the edge is told, and the socket goes on. */
  #complain(connection: Connection, text: string): void {
    const typed = FrameTypeSchema.safeParse(readJson(text));
    const re = typed.success ? typed.data.type : null;
    this.#deps.onProblem('a frame of the edge could not be read', { re });
    connection.socket.send(JSON.stringify({ type: 'error', re, code: 'invalid_request' } satisfies AgentFrame));
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

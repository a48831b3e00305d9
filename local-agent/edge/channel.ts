/**
 * The node's WebSocket to the edge. It pings with an exact text that the platform answers without waking the object
 * behind it; a pong carries the newest mode version and term, so the node knows when to read them again. Two pings without
 * a pong, or a renewal without a response, end the socket; the next one begins with `hello` and gets the current state.
 * The channel carries notices only; what must not be lost goes through the outbox.
 */
import { WebSocket } from 'ws';
import { z } from 'zod';
import type { AgentFrame, EdgeFrame } from '../../schema/contracts/channel-frames.ts';
import { CLOSE, EdgeFrameSchema, PING, parsePong } from '../../schema/contracts/channel-frames.ts';
import type { LeaderAcquireResponse } from '../../schema/contracts/leader.ts';
import { CHANNEL, HTTP } from '../../schema/defaults.ts';
import type { Backoff } from '../../schema/domain/retry.ts';
import { retryDelayMs } from '../../schema/domain/retry.ts';
import { readJson } from '../../schema/json-text.ts';
import type { Clock } from '../lib/clock.ts';
import { Emitter } from '../lib/emitter.ts';
import { DISK_FAULT_ADVICE, isDiskFault } from '../lib/errno.ts';

const MISSED_PONGS = 2;
/** A socket that nothing arrived on for that many ping intervals, or for `trust_ms`, is not taken for alive. */
const ALIVE_PING_INTERVALS = 2;
const RECONNECT: Backoff = { base_ms: CHANNEL.reconnect_base_ms, max_ms: CHANNEL.reconnect_max_ms, jitter: 'full' };
/** So many failures in a row make the next wait the longest. */
const FAILURES_TO_LONGEST_WAIT = Math.ceil(Math.log2(RECONNECT.max_ms / RECONNECT.base_ms));
const FrameTypeSchema = z.object({ type: z.string().max(64) });

export type HelloFrame = Extract<AgentFrame, { type: 'hello' }>;
export type HelloAck = Extract<EdgeFrame, { type: 'hello_ack' }>;
/** Frames that are not about the channel itself. */
export type PushedFrame = Extract<EdgeFrame, { type: 'mode.changed' | 'lease.changed' | 'changed' | 'command' }>;

export interface ChannelDeps {
  /** `ws://` or `wss://` address of the channel. */
  url: string;
  token: string;
  pingIntervalMs: number;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  hello: () => HelloFrame;
  onPong: (pong: { mode_version: number; term: number }) => void;
  onHelloAck: (ack: HelloAck) => void;
  onPushed: (frame: PushedFrame) => void;
  /** The edge has refused the hello: another agent is this node. */
  onDuplicate: () => void;
  onProblem: (message: string, fields: Record<string, unknown>) => void;
}

/** A lease renewal that waits for its response. */
interface PendingRenewal {
  resolve: (response: LeaderAcquireResponse) => void;
  reject: (error: Error) => void;
  cancelTimeout: () => void;
}

/** State of one socket; discarded with it. */
interface Connection {
  socket: WebSocket;
  /** The edge has responded to the hello. */
  ready: boolean;
  /** Pings since the last pong. */
  pingsWithoutPong: number;
  /** When a pong or a frame last arrived, monotonic milliseconds. */
  heardAt: number;
  renewal: PendingRenewal | null;
  cancelPing: () => void;
  cancelHello: () => void;
}

export class Channel {
  /** Emitted when the channel becomes usable, and when it no longer is. */
  readonly connected = new Emitter<boolean>();
  readonly #deps: ChannelDeps;
  #isRunning = false;
  /** Connections in a row that failed or were lost before the edge responded to the hello. */
  #failures = 0;
  #connection: Connection | null = null;
  #cancelReconnect: () => void = () => undefined;

  constructor(deps: ChannelDeps) {
    this.#deps = deps;
  }

  /** Whether the edge has responded to the hello of the current socket. */
  get isReady(): boolean {
    return this.#connection?.ready ?? false;
  }

  /** Whether the channel is ready and a pong or a frame arrived within two ping intervals and `trust_ms`. `now`: monotonic. */
  isAlive(now: number): boolean {
    const connection = this.#connection;
    if (!connection?.ready) return false;
    const trustMs = Math.min(ALIVE_PING_INTERVALS * this.#deps.pingIntervalMs, CHANNEL.trust_ms);
    return now - connection.heardAt <= trustMs;
  }

  start(): void {
    this.#isRunning = true;
    this.#connect();
  }

  /** Closes the socket and does not connect again. */
  stop(): void {
    this.#isRunning = false;
    this.#cancelReconnect();
    const connection = this.#connection;
    if (connection === null) return;
    connection.socket.close(1000);
    this.#lose(connection, 'stopped');
  }

  /** Sends a frame; false when there is no usable socket. */
  send(frame: AgentFrame): boolean {
    const connection = this.#connection;
    if (connection === null || !connection.ready || connection.socket.readyState !== WebSocket.OPEN) return false;
    connection.socket.send(JSON.stringify(frame));
    return true;
  }

  /**
   * Renews the lease over this socket; null when there is none, or a renewal is pending. A response carries no id, so
   * one that does not arrive within `limitMs` ends the socket: a late one cannot be taken for that of a later request.
   */
  renew(term: number, ttlSec: number, limitMs: number): Promise<LeaderAcquireResponse> | null {
    const connection = this.#connection;
    if (connection === null || connection.renewal !== null) return null;
    if (!this.send({ type: 'lease.renew', term, ttl_sec: ttlSec })) return null;
    return new Promise((resolve, reject) => {
      const cancelTimeout = this.#deps.clock.after(limitMs, () => this.#drop(connection, 'a renewal got no response'));
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
      pingsWithoutPong: 0,
      heardAt: clock.monotonic(),
      renewal: null,
      cancelPing: none,
      cancelHello: none,
    };
    this.#connection = connection;
    socket.on('open', () => {
      socket.send(JSON.stringify(this.#deps.hello()));
      connection.cancelHello = clock.after(HTTP.request_timeout_ms, () =>
        this.#drop(connection, 'the hello got no response'),
      );
      this.#schedulePing(connection);
    });
    socket.on('message', (data, isBinary) => {
      if (!isBinary) this.#take(connection, String(data));
    });
    socket.on('unexpected-response', (request, response) => {
      request.destroy();
      this.#lose(connection, `the edge refused the upgrade with HTTP ${response.statusCode ?? 0}`);
    });
    socket.on('error', (error) => this.#lose(connection, error.message));
    socket.on('close', (code) => this.#onClose(connection, code));
  }

  /** Only another process replaces a socket of this node; it is alive, so the next attempt waits the longest. */
  #onClose(connection: Connection, code: number): void {
    const isOther = (code === CLOSE.replaced || code === CLOSE.duplicate) && this.#connection === connection;
    if (isOther) this.#failures = FAILURES_TO_LONGEST_WAIT;
    if (isOther && code === CLOSE.duplicate) this.#deps.onDuplicate();
    this.#lose(connection, isOther ? 'another agent runs under the id of this node' : `closed with ${code}`);
  }

  #drop(connection: Connection, reason: string): void {
    connection.socket.terminate();
    this.#lose(connection, reason);
  }

  /** Ends a connection once, whichever of its events comes first, and schedules the next. */
  #lose(connection: Connection, reason: string): void {
    if (this.#connection !== connection) return;
    this.#connection = null;
    connection.cancelPing();
    connection.cancelHello();
    const { renewal, ready } = connection;
    renewal?.cancelTimeout();
    renewal?.reject(new Error(`the channel was lost: ${reason}`));
    if (!this.#isRunning) return;
    this.#failures += 1;
    const delayMs = retryDelayMs(this.#failures, RECONNECT, this.#deps.random());
    this.#deps.onProblem('the channel to the edge was lost', { reason, retry_in_ms: delayMs });
    this.#cancelReconnect = this.#deps.clock.after(delayMs, () => this.#connect());
    if (ready) this.connected.emit(false);
  }

  #schedulePing(connection: Connection): void {
    connection.cancelPing = this.#deps.clock.after(this.#deps.pingIntervalMs, () => {
      if (connection.pingsWithoutPong >= MISSED_PONGS) {
        this.#drop(connection, `${MISSED_PONGS} pings got no pong`);
        return;
      }
      connection.pingsWithoutPong += 1;
      connection.socket.send(PING);
      this.#schedulePing(connection);
    });
  }

  /** A frame that fails on a full disk ends the socket: the next hello brings what it said again. */
  #take(connection: Connection, text: string): void {
    try {
      this.#onText(connection, text);
    } catch (error) {
      if (!isDiskFault(error)) throw error;
      this.#drop(connection, `a frame could not be stored: ${String(error)}; ${DISK_FAULT_ADVICE}`);
    }
  }

  #onText(connection: Connection, text: string): void {
    if (this.#connection !== connection) return;
    connection.heardAt = this.#deps.clock.monotonic();
    const pong = parsePong(text);
    if (pong) {
      connection.pingsWithoutPong = 0;
      this.#deps.onPong(pong);
      return;
    }
    const read = readJson(text);
    const frame = EdgeFrameSchema.safeParse(read.ok ? read.value : null);
    if (frame.success) this.#onFrame(connection, frame.data);
    else this.#rejectFrame(connection, read.ok ? read.value : null);
  }

  #onFrame(connection: Connection, frame: EdgeFrame): void {
    switch (frame.type) {
      case 'hello_ack':
        connection.cancelHello();
        connection.ready = true;
        this.#failures = 0;
        this.#deps.onHelloAck(frame);
        this.connected.emit(true);
        return;
      case 'lease.result':
        this.#takeRenewal(connection)?.resolve(frame);
        return;
      case 'error':
        this.#deps.onProblem('the edge reported an error on the channel', { re: frame.re, code: frame.code });
        if (frame.re === 'lease.renew') this.#takeRenewal(connection)?.reject(new Error(frame.code));
        return;
      default:
        this.#deps.onPushed(frame);
    }
  }

  /** The pending renewal, which is not pending any more; null when there is none. */
  #takeRenewal(connection: Connection): PendingRenewal | null {
    const { renewal } = connection;
    connection.renewal = null;
    renewal?.cancelTimeout();
    return renewal;
  }

  /** Reports a frame that this version cannot read; the socket stays open. */
  #rejectFrame(connection: Connection, value: unknown): void {
    const typed = FrameTypeSchema.safeParse(value);
    const re = typed.success ? typed.data.type : null;
    this.#deps.onProblem('a frame of the edge could not be read', { re });
    connection.socket.send(JSON.stringify({ type: 'error', re, code: 'invalid_request' } satisfies AgentFrame));
  }
}

/**
 * One WebSocket of a browser. Text frames of JSON go out and in; a peer that stops reading, stops answering pings or
 * sends what is not JSON loses its socket, and so does one that sends faster than anybody could talk (4429). A frame
 * over the limit is refused by `ws` itself (1009).
 */
import type { Logger } from 'pino';
import type { RawData, WebSocket } from 'ws';
import type { AgentBridgeFrame } from '../../schema/contracts/bridge-frames.ts';
import { CLOSE } from '../../schema/contracts/channel-frames.ts';
import { BRIDGE } from '../../schema/defaults.ts';
import type { Clock } from '../lib/clock.ts';
import type { RateLimits } from '../lib/rate-limit.ts';
import { RateLimiter } from '../lib/rate-limit.ts';

export interface SocketListener {
  onFrame(json: unknown): void;
  onClose(): void;
}

export class BridgeSocket {
  readonly #ws: WebSocket;
  readonly #clock: Clock;
  readonly #log: Pick<Logger, 'warn'>;
  readonly #budget: RateLimiter;
  #listener: SocketListener | null = null;
  #cancelHeartbeat: () => void = () => undefined;
  #heard = true;
  #open = true;

  constructor(ws: WebSocket, clock: Clock, log: Pick<Logger, 'warn'>, frames: RateLimits) {
    this.#ws = ws;
    this.#budget = new RateLimiter(frames, () => clock.monotonic());
    this.#clock = clock;
    this.#log = log;
    ws.on('message', (data, isBinary) => this.#message(data, isBinary));
    ws.on('pong', () => {
      this.#heard = true;
    });
    ws.on('error', (error) => this.#log.warn({ err: error }, 'bridge socket'));
    ws.on('close', () => this.#closed());
    this.#heartbeat();
  }

  /** Who hears of frames and of the end; a later listener takes the place of an earlier one. */
  listen(listener: SocketListener): void {
    this.#listener = listener;
  }

  /** Sends a frame; false when the socket is closed, or closed now because its peer does not read. */
  send(frame: AgentBridgeFrame): boolean {
    if (!this.#open) return false;
    if (this.#ws.bufferedAmount > BRIDGE.max_buffered_bytes) {
      this.#log.warn({ buffered: this.#ws.bufferedAmount }, 'a browser does not read: its socket is dropped');
      this.#ws.terminate();
      return false;
    }
    this.#ws.send(JSON.stringify(frame));
    return true;
  }

  close(code: number, reason: string): void {
    this.#open = false;
    this.#ws.close(code, reason);
  }

  #message(data: RawData, isBinary: boolean): void {
    this.#heard = true;
    if (!this.#open) return;
    if (!this.#budget.take()) {
      this.#log.warn('a browser sends too many frames: its socket is closed');
      this.close(CLOSE.too_fast, 'too many frames');
      return;
    }
    let json: unknown;
    try {
      if (isBinary) throw new SyntaxError('binary');
      json = JSON.parse(data.toString());
    } catch {
      this.close(CLOSE.malformed, 'a frame must be JSON text');
      return;
    }
    this.#listener?.onFrame(json);
  }

  #heartbeat(): void {
    this.#cancelHeartbeat = this.#clock.after(BRIDGE.heartbeat_ms, () => {
      if (!this.#heard) {
        this.#ws.terminate();
        return;
      }
      this.#heard = false;
      this.#ws.ping();
      this.#heartbeat();
    });
  }

  #closed(): void {
    this.#open = false;
    this.#cancelHeartbeat();
    this.#listener?.onClose();
  }
}

/**
 * One WebSocket of a browser; frames are JSON text. The socket is closed when the peer stops reading, does not answer
 * pings, sends a frame that is not JSON (4400), or sends faster than its limit (4429). `ws` itself refuses a frame over
 * the size limit (1009).
 */
import type { RawData, WebSocket } from 'ws';
import type { AgentBridgeFrame } from '../../schema/contracts/bridge-frames.ts';
import { CLOSE } from '../../schema/contracts/channel-frames.ts';
import { BRIDGE } from '../../schema/defaults.ts';
import { readJson } from '../../schema/json-text.ts';
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
  readonly #warn: (fields: object, message: string) => void;
  readonly #limiter: RateLimiter;
  #listener: SocketListener | null = null;
  #cancelHeartbeat: () => void = () => undefined;
  /** Whether anything arrived since the last ping. */
  #isAlive = true;
  #isOpen = true;

  constructor(ws: WebSocket, clock: Clock, warn: (fields: object, message: string) => void, limits: RateLimits) {
    this.#ws = ws;
    this.#limiter = new RateLimiter(limits, () => clock.monotonic());
    this.#clock = clock;
    this.#warn = warn;
    ws.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    ws.on('pong', () => {
      this.#isAlive = true;
    });
    ws.on('error', (error) => this.#warn({ reason: error.message }, 'a bridge socket failed'));
    ws.on('close', () => this.#onClose());
    this.#heartbeat();
  }

  /** Sets the listener of frames and of the close; it replaces an earlier one. */
  listen(listener: SocketListener): void {
    this.#listener = listener;
  }

  /** Sends a frame; false when the socket is closed, or is terminated now because its peer does not read. */
  send(frame: AgentBridgeFrame): boolean {
    if (!this.#isOpen) return false;
    if (this.#ws.bufferedAmount > BRIDGE.max_buffered_bytes) {
      this.#warn({ buffered: this.#ws.bufferedAmount }, 'a browser does not read; its socket is terminated');
      this.#ws.terminate();
      return false;
    }
    this.#ws.send(JSON.stringify(frame));
    return true;
  }

  close(code: number, reason: string): void {
    this.#isOpen = false;
    this.#ws.close(code, reason);
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    this.#isAlive = true;
    if (!this.#isOpen) return;
    if (!this.#limiter.take()) {
      this.#warn({}, 'a browser sends too many frames; its socket is closed');
      this.close(CLOSE.too_fast, 'too many frames');
      return;
    }
    const read = isBinary ? null : readJson(data.toString());
    if (read?.ok !== true) {
      this.close(CLOSE.malformed, read === null ? 'a frame must be text' : `a frame must be ${read.expected}`);
      return;
    }
    this.#listener?.onFrame(read.value);
  }

  #heartbeat(): void {
    this.#cancelHeartbeat = this.#clock.after(BRIDGE.heartbeat_ms, () => {
      if (!this.#isAlive) {
        this.#ws.terminate();
        return;
      }
      this.#isAlive = false;
      this.#ws.ping();
      this.#heartbeat();
    });
  }

  #onClose(): void {
    this.#isOpen = false;
    this.#cancelHeartbeat();
    this.#listener?.onClose();
  }
}

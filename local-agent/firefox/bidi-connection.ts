/**
 * One WebDriver BiDi connection: commands with deadlines, and events. Results are parsed by the schema of their command,
 * so that a Firefox that answers differently is noticed here.
 */
import WebSocket from 'ws';
import { z } from 'zod';
import { Emitter } from '../lib/emitter.ts';

const CONNECT_MS = 10_000;
const COMMAND_MS = 30_000;
/** A screenshot of a long page is the largest message. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

const MessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('success'), id: z.number(), result: z.unknown() }),
  z.object({ type: z.literal('error'), id: z.number().nullable(), error: z.string(), message: z.string() }),
  z.object({ type: z.literal('event'), method: z.string(), params: z.unknown() }),
]);

export interface BidiEvent {
  method: string;
  params: unknown;
}

/** Firefox refused a command, or did not respond to it. `code` is the name of the WebDriver error. */
export class BidiError extends Error {
  override readonly name = 'BidiError';
  readonly code: string;

  constructor(method: string, code: string, message: string) {
    super(`${method}: ${code}: ${message}`);
    this.code = code;
  }
}

function parseMessage(text: string): z.infer<typeof MessageSchema> | null {
  try {
    return MessageSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

interface Pending {
  method: string;
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

export class BidiConnection {
  readonly events = new Emitter<BidiEvent>();
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>;
  readonly #ws: WebSocket;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on('message', (data) => this.#onMessage(data.toString()));
    this.closed = new Promise((resolve) => {
      ws.once('close', () => {
        for (const { method, reject } of this.#pending.values()) {
          reject(new BidiError(method, 'connection closed', 'the connection to Firefox has ended'));
        }
        this.#pending.clear();
        resolve();
      });
    });
  }

  /** @throws Error when nothing accepts the connection in time */
  static connect(url: string): Promise<BidiConnection> {
    const ws = new WebSocket(url, { maxPayload: MAX_MESSAGE_BYTES, handshakeTimeout: CONNECT_MS });
    const connection = new BidiConnection(ws);
    return new Promise((resolve, reject) => {
      ws.once('open', () => resolve(connection));
      // Also after the connection was opened: `close` follows and ends what is pending.
      ws.on('error', (error) => reject(new Error(`${url} does not accept WebDriver BiDi: ${error.message}`)));
    });
  }

  /** Runs one command. @throws BidiError when Firefox refuses it or does not respond within `timeoutMs` */
  async call<T>(method: string, params: object, result: z.ZodType<T>, timeoutMs = COMMAND_MS): Promise<T> {
    this.#lastId += 1;
    const id = this.#lastId;
    const response = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { method, resolve, reject });
    });
    const timer = setTimeout(() => {
      this.#take(id)?.reject(new BidiError(method, 'timeout', `no response within ${timeoutMs} ms`));
    }, timeoutMs);
    this.#ws.send(JSON.stringify({ id, method, params }), (error) => {
      if (error) this.#take(id)?.reject(new BidiError(method, 'connection closed', error.message));
    });
    try {
      return result.parse(await response);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The next event of that method that meets the condition. @throws BidiError when none comes in time */
  next(method: string, condition: (params: unknown) => boolean, timeoutMs = COMMAND_MS): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        unsubscribe();
        act();
      };
      const unsubscribe = this.events.on((event) => {
        if (event.method === method && condition(event.params)) settle(() => resolve(event.params));
      });
      const fail = (code: string, message: string) => settle(() => reject(new BidiError(method, code, message)));
      const timer = setTimeout(() => fail('timeout', `no such event within ${timeoutMs} ms`), timeoutMs);
      void this.closed.then(() => fail('connection closed', 'the connection to Firefox has ended'));
    });
  }

  async close(): Promise<void> {
    this.#ws.close();
    const timer = setTimeout(() => this.#ws.terminate(), CONNECT_MS);
    await this.closed;
    clearTimeout(timer);
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #onMessage(text: string): void {
    const message = parseMessage(text);
    if (message === null) this.#ws.terminate();
    else if (message.type === 'event') this.events.emit({ method: message.method, params: message.params });
    else if (message.id !== null) {
      const pending = this.#take(message.id);
      if (message.type === 'success') pending?.resolve(message.result);
      else pending?.reject(new BidiError(pending.method, message.error, message.message));
    }
  }
}

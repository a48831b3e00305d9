/** A WebDriver BiDi connection: commands with results, and events. */
import { once } from 'node:events';
import { WebSocket } from 'ws';

const COMMAND_TIMEOUT_MS = 60_000;

interface Pending {
  resolve(result: Record<string, unknown>): void;
  reject(error: Error): void;
}

interface BidiMessage {
  type: 'success' | 'error' | 'event';
  id?: number | null;
  result?: Record<string, unknown>;
  error?: string;
  message?: string;
  method?: string;
  params?: Record<string, unknown>;
}

export class BidiClient {
  readonly #ws: WebSocket;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Map<string, ((params: Record<string, unknown>) => void)[]>();
  #lastId = 0;

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on('message', (data: Buffer) => this.#onMessage(JSON.parse(data.toString()) as BidiMessage));
    ws.on('error', () => ws.terminate());
    ws.on('close', () => {
      for (const { reject } of this.#pending.values()) reject(new Error('Firefox closed the WebDriver connection'));
      this.#pending.clear();
    });
  }

  static async connect(url: string): Promise<BidiClient> {
    const ws = new WebSocket(url);
    await once(ws, 'open');
    return new BidiClient(ws);
  }

  async command(method: string, params: object): Promise<Record<string, unknown>> {
    const id = ++this.#lastId;
    const result = new Promise<Record<string, unknown>>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
    });
    this.#ws.send(JSON.stringify({ id, method, params }));
    const timer = setTimeout(() => {
      this.#pending.get(id)?.reject(new Error(`${method} had no result within ${COMMAND_TIMEOUT_MS} ms`));
      this.#pending.delete(id);
    }, COMMAND_TIMEOUT_MS);
    return await result.finally(() => clearTimeout(timer));
  }

  /** The caller subscribes to the event with `session.subscribe`. */
  on(event: string, listener: (params: Record<string, unknown>) => void): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  close(): void {
    this.#ws.terminate();
  }

  #onMessage({ type, id, result, error, message, method, params }: BidiMessage): void {
    if (type === 'event') {
      for (const listener of this.#listeners.get(method ?? '') ?? []) listener(params ?? {});
      return;
    }
    const pending = this.#pending.get(id ?? 0);
    this.#pending.delete(id ?? 0);
    if (type === 'success') pending?.resolve(result ?? {});
    else pending?.reject(new Error(`${error}: ${message}`));
  }
}

/** A WebSocket that is asked and answers in order; several questions may be on their way. */
import { once } from 'node:events';
import { WebSocket } from 'ws';

interface Waiting {
  resolve(text: string): void;
  reject(error: Error): void;
}

export class AskingSocket {
  readonly #ws: WebSocket;
  readonly #waiting: Waiting[] = [];

  private constructor(ws: WebSocket, isAnswer: (text: string) => boolean) {
    this.#ws = ws;
    ws.on('message', (data) => {
      const text = data.toString();
      if (isAnswer(text)) this.#waiting.shift()?.resolve(text);
    });
    ws.on('error', () => ws.terminate());
    ws.on('close', (code, reason) => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`socket closed: ${code} ${reason}`));
    });
  }

  /** Opens it. Frames that are no answer are passed over. */
  static async open(
    url: string | URL,
    options: { headers?: Record<string, string>; isAnswer?: (text: string) => boolean } = {},
  ): Promise<AskingSocket> {
    const ws = new WebSocket(url, { headers: options.headers ?? {}, perMessageDeflate: false });
    const socket = new AskingSocket(ws, options.isAnswer ?? (() => true));
    await once(ws, 'open');
    return socket;
  }

  ask(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#ws.readyState !== WebSocket.OPEN) return reject(new Error('the socket is closed'));
      this.#waiting.push({ resolve, reject });
      this.#ws.send(text);
    });
  }

  close(): void {
    this.#ws.terminate();
  }
}

/** An address on this machine that accepts all that is sent to it. */
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export class Receiver {
  /** The bodies, in order. */
  readonly taken: string[] = [];
  readonly #server: Server;

  static async open(): Promise<Receiver> {
    const receiver = new Receiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  private constructor() {
    this.#server = createServer(async (request, response) => {
      this.taken.push(await text(request));
      response.end();
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/notices`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

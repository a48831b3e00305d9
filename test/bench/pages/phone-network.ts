/**
 * A TCP proxy with the network of a phone: every byte arrives half a round trip later, a new connection takes a whole one
 * first, and what comes down shares one line, packet by packet in turn. Packets are not lost, and no window grows slowly.
 */
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

export const PHONE = { downBitsPerSecond: 1_600_000, roundTripMs: 150 } as const;

const PACKET_BYTES = 1_460;
const HALF_MS = PHONE.roundTripMs / 2;
const MS_OF_A_BYTE = 8_000 / PHONE.downBitsPerSecond;
/** What waits for the line before a server is not read any more. */
const QUEUE_BYTES = 64 * 1_024;

/** What a server has sent on one connection and the line has not taken. */
interface Queue {
  client: Socket;
  server: Socket;
  bytes: Buffer;
}

export class PhoneNetwork {
  readonly #server: Server;
  readonly #target: { host: string; port: number };
  readonly #sockets = new Set<Socket>();
  readonly #queues: Queue[] = [];
  #isSending = false;
  /** When the line has sent what it took. */
  #freeAt = 0;

  /** Listens on a free port of loopback for the server at `targetUrl`. */
  static async open(targetUrl: string): Promise<PhoneNetwork> {
    const { hostname, port } = new URL(targetUrl);
    const network = new PhoneNetwork({ host: hostname, port: Number(port) });
    network.#server.listen(0, '127.0.0.1');
    await once(network.#server, 'listening');
    return network;
  }

  private constructor(target: { host: string; port: number }) {
    this.#target = target;
    this.#server = createServer((client) => this.#take(client));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #take(client: Socket): void {
    const server = connect(this.#target);
    const readyAt = performance.now() + PHONE.roundTripMs;
    const queue: Queue = { client, server, bytes: Buffer.alloc(0) };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      // A browser ends connections as it likes; the close that follows says it.
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
    }
    client.on('close', () => server.destroy());
    client.on('data', (chunk: Buffer) => {
      const after = Math.max(0, readyAt - performance.now()) + HALF_MS;
      setTimeout(() => server.writable && server.write(chunk), after);
    });
    server.on('data', (chunk: Buffer) => {
      queue.bytes = Buffer.concat([queue.bytes, chunk]);
      if (queue.bytes.length > QUEUE_BYTES) server.pause();
      if (!this.#queues.includes(queue)) this.#queues.push(queue);
      void this.#send();
    });
  }

  /** Sends a packet of each connection in turn, as fast as the line is. */
  async #send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    for (let queue = this.#queues.shift(); queue !== undefined; queue = this.#queues.shift()) {
      const { client, server } = queue;
      const packet = queue.bytes.subarray(0, PACKET_BYTES);
      queue.bytes = queue.bytes.subarray(PACKET_BYTES);
      if (queue.bytes.length > 0) this.#queues.push(queue);
      if (queue.bytes.length < QUEUE_BYTES) server.resume();
      this.#freeAt = Math.max(this.#freeAt, performance.now()) + packet.length * MS_OF_A_BYTE;
      const ahead = this.#freeAt - performance.now();
      // A timer takes whole milliseconds; the line makes up for it with the next packets.
      if (ahead >= 1) await wait(ahead);
      setTimeout(() => client.writable && client.write(packet), HALF_MS);
    }
    this.#isSending = false;
  }
}

/**
 * A TCP proxy between an agent and its edge, for networks that fail. Cut silently, nothing passes any more and nothing is
 * closed, as when a cable is pulled; cut hard, what is open is reset and what comes is refused. Both block the agent's
 * socket and its HTTP alike. It may also let everything through but WebSocket upgrades, as some networks do, or deliver
 * every byte later, as a distant edge does.
 */
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { Transform } from 'node:stream';

export type Cut = 'silent' | 'hard';

export class CutProxy {
  readonly #server: Server;
  readonly #target: { host: string; port: number };
  readonly #pairs = new Map<Socket, Socket>();
  #cut: Cut | null = null;
  /** WebSocket upgrades that were refused. */
  refusedUpgrades = 0;
  lets: 'everything' | 'no upgrades' = 'everything';
  /** How long a byte takes in each direction, on connections opened from now on. */
  delayMs = 0;
  /** Method and path of each HTTP request, in order. */
  readonly requests: string[] = [];

  /** Listens on a free port of loopback for the edge at `targetUrl`. */
  static async open(targetUrl: string): Promise<CutProxy> {
    const { hostname, port } = new URL(targetUrl);
    const proxy = new CutProxy({ host: hostname, port: Number(port) });
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  private constructor(target: { host: string; port: number }) {
    this.#target = target;
    this.#server = createServer((inbound) => this.#take(inbound));
  }

  get url(): string {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the proxy does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  cut(how: Cut): void {
    this.#cut = how;
    for (const [inbound, outbound] of this.#pairs) {
      if (how === 'hard') {
        inbound.resetAndDestroy();
        outbound.resetAndDestroy();
        continue;
      }
      inbound.unpipe().pause();
      outbound.unpipe().pause();
    }
  }

  /** Lets new connections through again; those that the cut has hit are gone. */
  heal(): void {
    this.#cut = null;
    this.#dropAll();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#dropAll();
    await closed;
  }

  #dropAll(): void {
    for (const [inbound, outbound] of this.#pairs) {
      inbound.destroy();
      outbound.destroy();
    }
  }

  #take(inbound: Socket): void {
    if (this.#cut === 'hard') {
      inbound.resetAndDestroy();
      return;
    }
    const outbound = connect(this.#target);
    this.#pairs.set(inbound, outbound);
    inbound.on('close', () => {
      outbound.destroy();
      this.#pairs.delete(inbound);
    });
    outbound.on('close', () => inbound.destroy());
    // A broken connection is what this proxy is for; the close that follows says it.
    for (const socket of [inbound, outbound]) socket.on('error', () => undefined);
    if (this.#cut === null) inbound.once('data', (head: Buffer) => this.#forward(inbound, outbound, head));
  }

  #forward(inbound: Socket, outbound: Socket, head: Buffer): void {
    if (this.lets === 'no upgrades' && /^upgrade: websocket/im.test(head.toString('latin1'))) {
      this.refusedUpgrades += 1;
      inbound.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      return;
    }
    if (this.#cut !== null) return;
    const there = delay(this.delayMs, (chunk) => this.#noteRequest(chunk));
    there.pipe(outbound);
    there.write(head);
    inbound.pipe(there);
    outbound.pipe(delay(this.delayMs)).pipe(inbound);
  }

  #noteRequest(chunk: Buffer): void {
    const [, request] = /^((?:GET|POST|PUT|DELETE) \S+) HTTP\/1\.1\r\n/.exec(chunk.toString('latin1', 0, 1_000)) ?? [];
    if (request !== undefined) this.requests.push(request);
  }
}

/** A stream that passes each chunk on after `ms`, in order. */
function delay(ms: number, onChunk: (chunk: Buffer) => void = () => undefined): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      onChunk(chunk);
      if (ms === 0) return done(null, chunk);
      setTimeout(() => this.push(chunk), ms);
      done();
    },
    flush: (done) => void setTimeout(done, ms),
  });
}

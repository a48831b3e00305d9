/**
 * The wire between the extension of a Firefox and its agent: it passes everything on, keeps each frame that leaves the
 * browser, and fails when one has a secret of a fake site. The browser names the agent's own port, which is a part of
 * their proofs; a preference of Firefox leads that port here.
 */
import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { RawData } from 'ws';
import { WebSocket, WebSocketServer } from 'ws';
import { SECRET } from './secrets.ts';

/** Codes that a socket reports and cannot send. */
const NOT_SENT = [1005, 1006, 1015];

export class BridgeWire {
  /** What the browser has sent, oldest first. */
  readonly frames: string[] = [];
  readonly #agentUrl: () => string | null;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  #port = 0;

  /** `agentUrl` is asked at each connection; null: there is no agent. */
  constructor(agentUrl: () => string | null) {
    this.#agentUrl = agentUrl;
    this.#server = createServer((_incoming, response) => response.writeHead(404).end());
    this.#server.on('upgrade', (incoming, socket, head) => this.#upgrade(incoming, socket, head));
  }

  /** Where it listens. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** For `network.socket.forcePort`: what Firefox opens in place of the port of `agentUrl`. */
  get forcedPort(): string {
    return `${new URL(this.#agentUrl() ?? '').port}=${this.#port}`;
  }

  /** Listens, on the same port each time. */
  async open(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    ({ port: this.#port } = this.#server.address() as AddressInfo);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    for (const client of this.#sockets.clients) client.terminate();
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** @throws Error when a frame had a secret, or when nothing was searched. */
  expectNoSecret(): void {
    if (this.frames.length === 0) throw new Error('no frame of the extension has passed the wire');
    const leaks = this.frames.filter((frame) => frame.includes(SECRET));
    if (leaks.length === 0) return;
    const around = leaks.map((frame) => frame.slice(Math.max(0, frame.indexOf(SECRET) - 80)).slice(0, 160));
    throw new Error(`${leaks.length} frames of the extension have a secret of a site: …${around.join('\n…')}`);
  }

  #upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const agentUrl = this.#agentUrl();
    if (agentUrl === null) return void socket.destroy();
    const { origin } = incoming.headers;
    const address = new URL(incoming.url ?? '/', agentUrl.replace('http', 'ws'));
    const agent = new WebSocket(address, { perMessageDeflate: false, ...(origin !== undefined && { origin }) });
    socket.on('error', () => agent.terminate());
    agent.on('error', () => socket.destroy());
    agent.on('unexpected-response', (_request, { statusCode }) => {
      socket.end(`HTTP/1.1 ${statusCode} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    });
    agent.on('open', () =>
      this.#sockets.handleUpgrade(incoming, socket, head, (browser) => this.#join(browser, agent)),
    );
  }

  #join(browser: WebSocket, agent: WebSocket): void {
    const passOn = (to: WebSocket) => (data: RawData, isBinary: boolean) => to.send(data, { binary: isBinary });
    browser.on('message', (data: RawData) => this.frames.push(String(data)));
    browser.on('message', passOn(agent));
    agent.on('message', passOn(browser));
    const closeToo = (to: WebSocket) => (code: number, reason: Buffer) => {
      if (NOT_SENT.includes(code)) to.terminate();
      else to.close(code, reason);
    };
    browser.on('close', closeToo(agent));
    agent.on('close', closeToo(browser));
    browser.on('error', () => agent.terminate());
  }
}

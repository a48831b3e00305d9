/**
 * The floor of the capture: an extension that does nothing but pass the bytes of an answer on, to the page and over a
 * WebSocket to this process.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';

const PERMISSIONS = ['webRequest', 'webRequestBlocking'];
const CSP = "default-src 'none'; script-src 'self'; connect-src ws://127.0.0.1:*";

const manifestOf = (patterns: readonly string[]) => ({
  manifest_version: 2,
  name: 'Bare filter',
  version: '1.0.0',
  permissions: [...PERMISSIONS, ...patterns.map((pattern) => `${new URL(pattern).origin}/*`)],
  background: { scripts: ['background.js'], persistent: true },
  content_security_policy: CSP,
  browser_specific_settings: { gecko: { id: 'bare-filter@baa-conductor' } },
});

const scriptOf = (url: string, patterns: readonly string[]) => `
const socket = new WebSocket(${JSON.stringify(url)});
browser.webRequest.onBeforeRequest.addListener(({ requestId }) => {
  const filter = browser.webRequest.filterResponseData(requestId);
  filter.ondata = ({ data }) => {
    filter.write(data);
    socket.send(data);
  };
  filter.onstop = () => filter.disconnect();
}, { urls: ${JSON.stringify(patterns)} }, ['blocking']);
`;

export class BareReceiver {
  /** When the last bytes came, `performance.now()`, and how many have come since `reset`. */
  receivedAt = 0;
  receivedBytes = 0;
  onData: () => void = () => undefined;
  readonly #server: WebSocketServer;

  constructor() {
    this.#server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
    this.#server.on('connection', (socket) => {
      socket.on('message', (data: Buffer) => {
        this.receivedAt = performance.now();
        this.receivedBytes += data.length;
        this.onData();
      });
    });
  }

  get #url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `ws://127.0.0.1:${port}`;
  }

  /** Writes the extension into `folder`. */
  build(folder: string, patterns: readonly string[]): void {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifestOf(patterns)));
    writeFileSync(join(folder, 'background.js'), scriptOf(this.#url, patterns));
  }

  /** Resolves when the extension has connected. */
  connected(): Promise<void> {
    return new Promise((resolve) => this.#server.once('connection', () => resolve()));
  }

  close(): void {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
  }
}

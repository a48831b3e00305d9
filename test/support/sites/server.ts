/**
 * Fake chat sites under the real host names: one TLS server on 127.0.0.1 that chooses the site by the `Host` of a
 * request. Firefox is started so that these names lead to its port (open-firefox.ts). No host of the outside is reached.
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { generate } from 'selfsigned';
import type { EditorName } from './editors/bundle.ts';
import { EDITORS, editorScript } from './editors/bundle.ts';
import { SECRET_HEADERS } from './secrets.ts';
import type { FakeSite, ServedRequest, SiteRequest } from './site.ts';

/** Every host that the certificate is valid for. */
export const SITE_HOSTS = ['chatgpt.com', 'ws.chatgpt.com', 'claude.ai', 'gemini.google.com'] as const;
/** Where any host serves the page side of an editor: `<script src="/fake-editors/quill.js">`. */
const EDITOR_PATH = /^\/fake-editors\/([a-z]+)\.js$/;
const MAX_BODY_BYTES = 8_000_000;

export class SitesServer {
  /** Every request, oldest first, except those for editors. */
  readonly log: ServedRequest[] = [];
  /** Errors thrown by sites. A test expects none. */
  readonly errors: unknown[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, sites: readonly FakeSite[]) {
    this.#server = server;
    const siteOf = (host: string) => sites.find((site) => site.hosts.includes(host));
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request, response) => {
      void this.#serve(siteOf(hostOf(request)), request, response).catch((error: unknown) => {
        this.errors.push(error);
        response.destroy();
      });
    });
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => socket.destroy());
      const site = siteOf(hostOf(request));
      if (site?.upgrade) site.upgrade(request, socket, head);
      else socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n');
    });
    // A page that goes away in the middle of a handshake or a request is no error of a test.
    server.on('tlsClientError', () => {});
    server.on('clientError', (_error, socket) => socket.destroy());
  }

  static async start(sites: readonly FakeSite[]): Promise<SitesServer> {
    const { private: key, cert } = await certificate();
    const server = createServer({ key, cert });
    const started = new SitesServer(server, sites);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return started;
  }

  get port(): number {
    const { port } = this.#server.address() as AddressInfo;
    return port;
  }

  /** The requests to a path, such as `/backend-api/f/conversation`; a pattern is matched against path and query. */
  received(path: string | RegExp): ServedRequest[] {
    return this.log.filter((one) => (typeof path === 'string' ? one.path.split('?')[0] === path : path.test(one.path)));
  }

  /** Breaks every open connection, as a network that goes away does. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.dropConnections();
    await once(this.#server, 'close');
  }

  async #serve(site: FakeSite | undefined, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(incoming);
    const url = new URL(incoming.url ?? '/', `https://${hostOf(incoming)}`);
    const [, editor] = EDITOR_PATH.exec(url.pathname) ?? [];
    if (isEditor(editor)) return serveEditor(editor, response);
    const { method = 'GET', headers } = incoming;
    const request: SiteRequest = { method, host: url.host, url, headers, body };
    this.#record(request, response);
    for (const [name, value] of Object.entries(SECRET_HEADERS)) response.setHeader(name, value);
    if (site) await site.handle(request, response);
    else response.writeHead(404).end();
  }

  #record(request: SiteRequest, response: ServerResponse): void {
    const { method, host, url, body } = request;
    const served: ServedRequest = { method, host, path: url.pathname + url.search, body, status: null, end: 'open' };
    this.log.push(served);
    const { writeHead } = response;
    response.writeHead = function recorded(this: ServerResponse, ...head: unknown[]) {
      served.status = Number(head[0]);
      return writeHead.apply(this, head as Parameters<typeof writeHead>);
    } as typeof writeHead;
    response.on('close', () => {
      served.end = response.writableFinished ? 'complete' : 'cut';
    });
  }
}

let made: ReturnType<typeof generate> | null = null;
/** One certificate for each run of the tests. */
function certificate(): ReturnType<typeof generate> {
  made ??= generate([{ name: 'commonName', value: SITE_HOSTS[0] }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: SITE_HOSTS.map((value) => ({ type: 2 as const, value })) }],
  });
  return made;
}

function hostOf(request: IncomingMessage): string {
  return (request.headers.host ?? '').replace(/:\d+$/, '');
}

function isEditor(name: string | undefined): name is EditorName {
  return EDITORS.some((editor) => editor === name);
}

async function serveEditor(name: EditorName, response: ServerResponse): Promise<void> {
  const script = await editorScript(name);
  response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8' }).end(script);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new Error(`the body of a request is longer than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

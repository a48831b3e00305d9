/**
 * The agent's HTTP server on loopback. Every request is judged in this order: its `Host` (a loopback name with our
 * port), its `Origin` (a page never calls this API), its route, its token. Answers have the edge's envelope and codes.
 * WebSocket upgrades are handed on after the `Host` check.
 */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { HEADER } from '../../schema/contracts/common.ts';
import { fieldIssues, firstIssueText } from '../../schema/contracts/issues.ts';
import { BRIDGE } from '../../schema/defaults.ts';
import { AppError } from '../../schema/errors.ts';
import type { RateLimiter } from '../lib/rate-limit.ts';
import { sameSecret } from '../lib/secrets.ts';
import { isOwnHost, parseLocalApi } from './address.ts';
import { failureBody, refuseUpgrade, requestIdOf, sendJson } from './envelope.ts';

/** One route; `run` gets what its schemas have parsed. */
export interface LocalRoute {
  method: 'GET' | 'POST';
  path: string;
  run(input: { query: URLSearchParams; body: unknown; signal: AbortSignal }): unknown;
}

export interface LocalApiDeps {
  /** `http://127.0.0.1:<port>`; port 0 takes a free one. */
  address: string;
  /** The node's own token; without one nothing but `/healthz` and the bridge answers. */
  sharedToken: string | null;
  routes: readonly LocalRoute[];
  /** Takes over a WebSocket upgrade. */
  onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer, url: URL): void;
  newRequestId: () => string;
  /** Failed authentications: beyond it they are told to wait, and not what was wrong. */
  failures: RateLimiter;
  log: Pick<Logger, 'warn' | 'error'>;
}

export interface LocalApi {
  /** With the port that was taken. */
  readonly url: string;
  /** Stops listening and drops what is open. */
  close(): Promise<void>;
}

const SECOND_MS = 1_000;
const PLACEHOLDER = 'replace-me';

function authenticate(request: IncomingMessage, sharedToken: string | null): void {
  if (sharedToken === null || sharedToken === '' || sharedToken === PLACEHOLDER) {
    throw new AppError('auth_not_configured', 'this node has no token; set BAA_SHARED_TOKEN');
  }
  const [scheme, token, ...rest] = (request.headers.authorization ?? '').split(' ');
  if (scheme === '') throw new AppError('missing_token', 'this route needs the node’s token as Bearer');
  if (scheme?.toLowerCase() !== 'bearer' || !token || rest.length > 0) {
    throw new AppError('invalid_token', 'the Authorization header must be: Bearer <token>');
  }
  if (!sameSecret(token, sharedToken)) throw new AppError('unknown_token', 'this is not the node’s token');
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > BRIDGE.max_body_bytes) {
      throw new AppError('payload_too_large', `the body must be at most ${BRIDGE.max_body_bytes} bytes`, {
        headers: { connection: 'close' },
      });
    }
    chunks.push(bytes);
  }
  if (size === 0) return {};
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new AppError('invalid_request', 'the body is not JSON', { details: { field: 'body', expected: 'JSON' } });
  }
}

/** Parses with a contract; a misfit is an `invalid_request` that names the field. */
export function parseInput<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [first] = fieldIssues(parsed.error, 'body');
  throw new AppError('invalid_request', firstIssueText(parsed.error, 'body'), { details: { ...first } });
}

class LocalApiServer implements LocalApi {
  readonly #deps: LocalApiDeps;
  readonly #server: Server;
  readonly #hostname: string;
  #port = 0;

  constructor(deps: LocalApiDeps) {
    this.#deps = deps;
    this.#hostname = parseLocalApi(deps.address).hostname;
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.on('upgrade', (request, socket: Socket, head) => this.#upgrade(request, socket, head));
  }

  get url(): string {
    return `http://${this.#hostname.includes(':') ? `[${this.#hostname}]` : this.#hostname}:${this.#port}`;
  }

  async listen(): Promise<void> {
    const { port } = parseLocalApi(this.#deps.address);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        const taken = `${this.#deps.address} is in use by another program; stop it, or set BAA_CONDUCTOR_LOCAL_API to another port`;
        const other = `${this.#deps.address} cannot be listened on: ${error.message}`;
        reject(new AppError('conflict', error.code === 'EADDRINUSE' ? taken : other));
      });
      this.#server.listen(port, this.#hostname, resolve);
    });
    const bound = this.#server.address();
    this.#port = typeof bound === 'object' && bound !== null ? bound.port : port;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = requestIdOf(request, this.#deps.newRequestId);
    response.setHeader(HEADER.request_id, requestId);
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    try {
      const url = this.#admit(request);
      if (request.method === 'GET' && url.pathname === '/healthz') {
        response.setHeader('content-type', 'text/plain').end('ok');
        return;
      }
      const route = this.#route(request, url);
      this.#authenticate(request);
      const body = route.method === 'POST' ? await readBody(request) : {};
      const data = await route.run({ query: url.searchParams, body, signal: gone.signal });
      sendJson(response, 200, { ok: true, request_id: requestId, data });
    } catch (error) {
      this.#fail(response, requestId, error);
    }
  }

  #fail(response: ServerResponse, requestId: string, error: unknown): void {
    const expected = error instanceof AppError ? error : new AppError('internal', 'something went wrong in the agent');
    if (expected !== error) this.#deps.log.error({ err: error, request_id: requestId }, 'local API');
    if (response.destroyed) return;
    for (const [name, value] of Object.entries(expected.headers)) response.setHeader(name, value);
    sendJson(response, expected.status, failureBody(expected, requestId));
  }

  /** The request's URL, when its `Host` is ours and no page sent it. */
  #admit(request: IncomingMessage): URL {
    if (!isOwnHost(request.headers.host, this.#port)) {
      throw new AppError('forbidden', 'the Host header must be a loopback name with this port');
    }
    if (request.headers.origin !== undefined) throw new AppError('forbidden', 'a page may not call this API');
    return urlOf(request);
  }

  #authenticate(request: IncomingMessage): void {
    const { sharedToken, failures } = this.#deps;
    try {
      authenticate(request, sharedToken);
    } catch (error) {
      if (failures.take()) throw error;
      const retryAfterSec = Math.ceil(failures.waitMs() / SECOND_MS);
      throw new AppError('rate_limited', 'too many failed authentications; wait', {
        headers: { 'retry-after': String(retryAfterSec) },
      });
    }
  }

  #route(request: IncomingMessage, url: URL): LocalRoute {
    const there = this.#deps.routes.filter((route) => route.path === url.pathname);
    const route = there.find((candidate) => candidate.method === request.method);
    if (route) return route;
    if (there.length === 0) throw new AppError('not_found', `there is no ${url.pathname}`);
    const allow = there.map((candidate) => candidate.method).join(', ');
    throw new AppError('method_not_allowed', `${url.pathname} takes ${allow}`, { headers: { allow } });
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    // Until the WebSocket has taken over, a broken connection must not end the agent.
    socket.on('error', () => socket.destroy());
    try {
      if (!isOwnHost(request.headers.host, this.#port)) {
        throw new AppError('forbidden', 'the Host header must be a loopback name with this port');
      }
      this.#deps.onUpgrade(request, socket, head, urlOf(request));
    } catch (error) {
      const refusal = error instanceof AppError ? error : new AppError('internal', 'something went wrong in the agent');
      this.#deps.log.warn({ err: error, origin: request.headers.origin }, 'upgrade refused');
      refuseUpgrade(socket, refusal, requestIdOf(request, this.#deps.newRequestId));
    }
  }
}

function urlOf(request: IncomingMessage): URL {
  const base = 'http://localhost';
  const path = request.url ?? '/';
  if (!path.startsWith('/') || !URL.canParse(path, base)) throw new AppError('invalid_request', 'the URL is malformed');
  return new URL(base + path);
}

/**
 * Starts listening.
 *
 * @throws AppError `invalid_request` when the address is not on loopback, `conflict` when it cannot be taken.
 */
export async function startLocalApi(deps: LocalApiDeps): Promise<LocalApi> {
  const server = new LocalApiServer(deps);
  await server.listen();
  return server;
}

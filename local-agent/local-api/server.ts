/**
 * The agent's HTTP server on loopback: the local API, and on the same port the upgrades to WebSockets, which are passed
 * on after the `Host` check.
 */
import { once } from 'node:events';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { createServer, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { getRequestListener, RequestError } from '@hono/node-server';
import type { Logger } from 'pino';
import { errorBody, HEADER } from '../../schema/contracts/common.ts';
import { BRIDGE } from '../../schema/defaults.ts';
import { AppError } from '../../schema/errors.ts';
import type { LogLimit } from '../lib/log-limit.ts';
import { cutForeign } from '../lib/log-limit.ts';
import { parseLocalApi } from './address.ts';
import type { LocalAppDeps } from './app.ts';
import { checkHost, createLocalApp, internalError } from './app.ts';
import type { StrangerLimits } from './strangers.ts';
import { Strangers } from './strangers.ts';

export interface LocalApiDeps extends Omit<LocalAppDeps, 'admit'> {
  /** `http://127.0.0.1:<port>`; port 0 takes a free one. */
  address: string;
  /** Takes over a WebSocket upgrade; calls `admit` when the peer has proved itself. @throws AppError to refuse it */
  onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer, url: URL, admit: () => void): void;
  /** Lines about refused peers, shared with the bridge. */
  refusals: LogLimit;
  strangers?: StrangerLimits;
  log: Pick<Logger, 'warn' | 'error'>;
}

type Admission = Pick<LocalAppDeps, 'admit'>;

interface Upgrade {
  request: IncomingMessage;
  socket: Socket;
  head: Buffer;
}

const STRANGERS: StrangerLimits = { max: BRIDGE.max_strangers, proveMs: BRIDGE.stranger_ms };

export interface LocalApi {
  /** With the port that was taken. */
  readonly url: string;
  /** Stops listening and closes all connections. */
  close(): Promise<void>;
}

/**
 * Starts listening.
 *
 * @throws AppError `invalid_request` when the address is not on loopback, `conflict` when it cannot be taken.
 */
export async function startLocalApi(deps: LocalApiDeps): Promise<LocalApi> {
  const { hostname, port } = parseLocalApi(deps.address);
  const strangers = new Strangers(deps.strangers ?? STRANGERS);
  const admit = (socket: Socket): void => strangers.admit(socket);
  const server = createServer(requestListener({ ...deps, admit }));
  server.maxConnections = BRIDGE.max_connections;
  server.on('connection', (socket) => strangers.add(socket));
  server.on('upgrade', (request, socket: Socket, head) => handleUpgrade({ ...deps, admit }, { request, socket, head }));
  server.listen(port, hostname);
  await listening(server, deps.address);
  server.on('error', ({ message }) =>
    deps.refusals.write((left_out) =>
      deps.log.error({ reason: message, left_out }, 'the local API failed to accept a connection'),
    ),
  );
  const bound = server.address();
  const url = new URL(deps.address);
  url.port = String(typeof bound === 'object' && bound !== null ? bound.port : port);
  return {
    url: url.origin,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listening(server: Server, address: string): Promise<void> {
  try {
    await once(server, 'listening');
  } catch (error) {
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    const problem = isTaken
      ? 'is in use by another program; stop it, or set BAA_CONDUCTOR_LOCAL_API to another port'
      : `cannot be listened on: ${error instanceof Error ? error.message : String(error)}`;
    throw new AppError('conflict', `${address} ${problem}`);
  }
}

/** Runs the application. What is no valid HTTP request for it is refused here, in the same envelope. */
function requestListener(deps: LocalApiDeps & Admission): RequestListener {
  const { newRequestId, log } = deps;
  return getRequestListener(createLocalApp(deps).fetch, {
    // The rest of the process keeps Node's own Request and Response.
    overrideGlobalObjects: false,
    errorHandler(cause) {
      const isMalformed = cause instanceof RequestError;
      const error = isMalformed ? new AppError('invalid_request', 'the request is malformed') : internalError();
      const requestId = newRequestId();
      if (!isMalformed) log.error({ err: cause, request_id: requestId }, 'a request to the local API failed');
      const headers = { 'cache-control': 'no-store', [HEADER.request_id]: requestId };
      return Response.json(errorBody(error, requestId), { status: error.status, headers });
    },
  });
}

function handleUpgrade(deps: LocalApiDeps & Admission, { request, socket, head }: Upgrade): void {
  // Until the WebSocket has taken over, a broken connection must not end the agent.
  socket.on('error', () => socket.destroy());
  try {
    checkHost(request.headers.host, socket.localPort);
    deps.onUpgrade(request, socket, head, upgradeUrl(request), () => deps.admit(socket));
  } catch (error) {
    logRefusal(deps, request, error);
    refuseUpgrade(socket, error instanceof AppError ? error : internalError(), deps.newRequestId());
  }
}

/** An expected refusal is logged without a stack, and what the peer sent is cut. */
function logRefusal({ log, refusals }: LocalApiDeps, { headers }: IncomingMessage, error: unknown): void {
  const reason = error instanceof AppError ? { code: error.code, reason: error.message } : { err: error };
  const origin = cutForeign(headers.origin);
  refusals.write((left_out) => log.warn({ ...reason, origin, left_out }, 'upgrade refused'));
}

function upgradeUrl({ url = '/' }: IncomingMessage): URL {
  const base = 'http://localhost';
  if (!url.startsWith('/') || !URL.canParse(base + url)) {
    throw new AppError('invalid_request', 'the request target must be a path');
  }
  return new URL(base + url);
}

/** Sends an error response in place of the upgrade, and closes the socket. */
function refuseUpgrade(socket: Socket, error: AppError, requestId: string): void {
  const body = JSON.stringify(errorBody(error, requestId));
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `${HEADER.request_id}: ${requestId}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

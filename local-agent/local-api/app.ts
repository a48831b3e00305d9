/**
 * The HTTP application of the local API. Every request passes these checks in this order: its `Host` (a loopback name
 * with the server's port, against DNS rebinding), its `Origin` (a web page never calls this API), the route and method,
 * the node's token, the size of the body. Responses have the edge's envelope and error codes.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpBindings } from '@hono/node-server';
import type { Context, Next } from 'hono';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { methodNotAllowed } from 'hono/method-not-allowed';
import type { RequestIdVariables } from 'hono/request-id';
import { requestId } from 'hono/request-id';
import type { Logger } from 'pino';
import { API_LEVEL, errorBody, HEADER, REQUEST_ID_MAX_CHARS } from '../../schema/contracts/common.ts';
import { PLACEHOLDER_SECRETS } from '../../schema/contracts/tokens.ts';
import { BRIDGE } from '../../schema/defaults.ts';
import { bodyProblem } from '../../schema/domain/media.ts';
import { AppError } from '../../schema/errors.ts';
import { readJson } from '../../schema/json-text.ts';
import type { RateLimiter } from '../lib/rate-limit.ts';
import { sameSecret } from '../lib/secrets.ts';
import { isOwnHost } from './address.ts';

/** One route that needs the node's token. `run` returns the `data` of the envelope, or a promise of it. */
export interface LocalRoute {
  method: 'GET' | 'POST';
  path: string;
  /** `body` is the parsed JSON of a POST; `signal` aborts when the caller has disconnected. */
  run(input: { query: Record<string, string>; body: unknown; signal: AbortSignal }): unknown;
}

export interface LocalAppDeps {
  /** The node's own token; without one only `/healthz` responds. */
  sharedToken: string | null;
  routes: readonly LocalRoute[];
  newRequestId: () => string;
  /** Counts failed authentications; beyond its limit a caller gets `rate_limited` instead of the reason. */
  failures: RateLimiter;
  /** The peer of that connection has proved itself. */
  admit: (socket: Socket) => void;
  log: Pick<Logger, 'error'>;
}

type LocalEnv = { Bindings: HttpBindings; Variables: RequestIdVariables };
type LocalContext = Context<LocalEnv>;

const SECOND_MS = 1_000;
const NO_STORE = { 'cache-control': 'no-store', [HEADER.api_level]: String(API_LEVEL) };

export function createLocalApp(deps: LocalAppDeps): Hono<LocalEnv> {
  const { sharedToken, routes, newRequestId, failures, admit, log } = deps;
  const app = new Hono<LocalEnv>();
  app.use(requestId({ limitLength: REQUEST_ID_MAX_CHARS, headerName: HEADER.request_id, generator: newRequestId }));
  app.use(async (c, next) => {
    checkCaller(c.env.incoming);
    await next();
  });
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed(c, methods) {
        const allow = methods.join(', ');
        return respondError(c, new AppError('method_not_allowed', `this path takes ${allow}`, { headers: { allow } }));
      },
    }),
  );
  app.get('/healthz', (c) => c.body('ok', 200, { 'content-type': 'text/plain' }));
  const requireToken = async (c: LocalContext, next: Next): Promise<void> => {
    const problem = authenticationProblem(c.req.header('authorization'), sharedToken);
    if (problem !== null) throw failures.take() ? problem : tooManyFailures(failures.waitMs());
    admit(c.env.incoming.socket);
    await next();
  };
  for (const { method, path, run } of routes) {
    app.on(method, path, requireToken);
    if (method === 'POST') app.post(path, useNativeRequest, limitBody);
    app.on(method, path, async (c) => {
      const body = method === 'POST' ? await readBody(c) : {};
      const data = await run({ query: c.req.query(), body, signal: c.req.raw.signal });
      return c.json({ ok: true, request_id: c.var.requestId, data }, 200, NO_STORE);
    });
  }
  app.notFound((c) => respondError(c, new AppError('not_found', `there is no ${c.req.path}`)));
  app.onError((error, c) => {
    if (error instanceof AppError) return respondError(c, error);
    log.error({ err: error, request_id: c.var.requestId }, 'a request to the local API failed');
    return respondError(c, internalError());
  });
  return app;
}

/** @throws AppError `forbidden` when the `Host` is not ours or a page sent the request. */
function checkCaller({ headers, socket, url }: IncomingMessage): void {
  checkHost(headers.host, socket.localPort);
  if (headers.origin !== undefined) throw new AppError('forbidden', 'a page may not call this API');
  // An absolute URL in the request line would override the Host header.
  if (url?.startsWith('/') !== true) throw new AppError('invalid_request', 'the request target must be a path');
}

/** @throws AppError `forbidden` when the header does not name this server. */
export function checkHost(header: string | undefined, port: number | undefined): void {
  if (isOwnHost(header, port)) return;
  throw new AppError('forbidden', 'the Host header must be a loopback name with this port');
}

function authenticationProblem(header: string | undefined, sharedToken: string | null): AppError | null {
  if (sharedToken === null || PLACEHOLDER_SECRETS.includes(sharedToken)) {
    return new AppError('auth_not_configured', 'this node has no token; set BAA_SHARED_TOKEN');
  }
  if (!header) return new AppError('missing_token', 'this route needs the node’s token as Bearer');
  const token = /^bearer ([^ ]+)$/i.exec(header)?.[1];
  if (token === undefined) {
    return new AppError('invalid_token', 'the Authorization header must be: Bearer <token>');
  }
  return sameSecret(token, sharedToken) ? null : new AppError('unknown_token', 'this is not the node’s token');
}

function tooManyFailures(waitMs: number): AppError {
  const headers = { 'retry-after': String(Math.ceil(waitMs / SECOND_MS)) };
  return new AppError('rate_limited', 'too many failed authentications; wait', { headers });
}

/** hono's body limit copies the request; that needs Node's own `Request`, not the adapter's lightweight one. */
async function useNativeRequest(c: LocalContext, next: Next): Promise<void> {
  c.req.raw = new Request(c.req.url, c.req.raw);
  await next();
}

const limitBody = bodyLimit({
  maxSize: BRIDGE.max_body_bytes,
  onError: () => {
    const headers = { connection: 'close' };
    throw new AppError('payload_too_large', `the body must be at most ${BRIDGE.max_body_bytes} bytes`, { headers });
  },
});

/** The body as JSON, `{}` when there is none. @throws AppError `invalid_request` or `unsupported_media_type` */
async function readBody(c: LocalContext): Promise<unknown> {
  const problem = bodyProblem({
    contentType: c.req.header('content-type'),
    contentEncoding: c.req.header('content-encoding'),
  });
  if (problem !== null) {
    throw new AppError('unsupported_media_type', `${problem.field}: ${problem.expected}`, { details: { ...problem } });
  }
  const text = await c.req.text();
  if (text === '') return {};
  const read = readJson(text);
  if (read.ok) return read.value;
  const field = read.field || 'body';
  throw new AppError('invalid_request', `${field}: ${read.expected}`, { details: { field, expected: read.expected } });
}

function respondError(c: Context, error: AppError): Response {
  return c.json(errorBody(error, c.get('requestId')), error.status, { ...NO_STORE, ...error.headers });
}

export function internalError(): AppError {
  return new AppError('internal', 'something went wrong in the agent');
}

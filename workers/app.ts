/**
 * The HTTP application: variables and log line of each request, request id, the rules of every response, every route,
 * 404 and 405, and the renderer of errors.
 */
import type { Context } from 'hono';
import { Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { requestId } from 'hono/request-id';
import { HEADER, REQUEST_ID_MAX_CHARS } from '../schema/contracts/common.ts';
import { newId } from '../schema/ids.ts';
import { remoteAccessKeys } from './auth/access.ts';
import { openDatabase } from './db/open.ts';
import type { AccessKeys, AppEnv } from './env.ts';
import { notFound, refuseMethod, renderError } from './http/errors.ts';
import { isPageAddress, servePage } from './http/page-files.ts';
import { markResponse, requireOwnHost } from './http/response-rules.ts';
import { log } from './log.ts';
import { ROUTES } from './routes.ts';

export interface AppOptions {
  /** Unix milliseconds. */
  clock?: () => number;
  log?: typeof log;
  accessKeys?: AccessKeys;
}

export function createApp(options: AppOptions = {}): Hono<AppEnv> {
  const { clock = Date.now, log: write = log, accessKeys = remoteAccessKeys } = options;
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    const now = clock();
    c.set('now', now);
    c.set('db', openDatabase(c.env.DB));
    c.set('identity', null);
    c.set('credential', '');
    c.set('accessKeys', accessKeys);
    c.set('route', null);
    c.set('error', null);
    c.set('bodyEnd', null);
    await next();
    const writeLine = () => write('info', 'request', requestFields(c, clock() - now));
    if (c.var.bodyEnd === null) writeLine();
    else c.executionCtx.waitUntil(c.var.bodyEnd.then(writeLine));
  });
  app.use(
    requestId({
      headerName: HEADER.request_id,
      limitLength: REQUEST_ID_MAX_CHARS,
      generator: () => newId('request', clock()),
    }),
  );
  app.use(markResponse);
  app.use(requireOwnHost);
  app.use(methodNotAllowed({ app, onMethodNotAllowed: refuseMethod }));
  for (const route of ROUTES) route.mount(app);
  app.notFound((c) => (isPageAddress(c) ? servePage(c) : notFound(c)));
  app.onError(renderError);
  return app;
}

function requestFields(c: Context<AppEnv>, ms: number): Record<string, unknown> {
  const { requestId: request_id, identity, route, error } = c.var;
  const response = { status: c.res.status, error, ms, ...c.var.db.usage };
  return { method: c.req.raw.method, path: route, ...response, request_id, role: identity?.role ?? null };
}

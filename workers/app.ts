/** The HTTP application: request id and clock in front, every route mounted, one renderer of errors, one log line. */
import type { Context } from 'hono';
import { Hono } from 'hono';
import { HEADER } from '../schema/contracts/common.ts';
import { newId } from '../schema/ids.ts';
import type { AccessKeys } from './auth/access.ts';
import { remoteAccessKeys } from './auth/access.ts';
import { openDatabase } from './db/open.ts';
import type { AppEnv } from './env.ts';
import { notFound, renderError } from './http/errors.ts';
import { log } from './log.ts';
import { ROUTES } from './routes.ts';

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;

export interface AppOptions {
  /** Unix milliseconds. */
  clock?: () => number;
  log?: typeof log;
  /** Where the public keys of Cloudflare Access come from. */
  accessKeys?: AccessKeys;
}

export function createApp(options: AppOptions = {}): Hono<AppEnv> {
  const { clock = Date.now, log: write = log, accessKeys = remoteAccessKeys } = options;
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    const now = clock();
    const given = c.req.header(HEADER.request_id);
    const requestId = given !== undefined && REQUEST_ID.test(given) ? given : newId('request', now);
    c.set('request_id', requestId);
    c.set('now', now);
    c.set('db', openDatabase(c.env.DB));
    c.set('identity', null);
    c.set('credential', '');
    c.set('accessKeys', accessKeys);
    c.set('route', null);
    c.set('error', null);
    await next();
    c.header(HEADER.request_id, requestId);
    write('info', 'request', requestFields(c, clock() - now));
  });
  for (const route of ROUTES) route.mount(app);
  app.notFound(notFound(ROUTES.map((route) => route.spec)));
  app.onError(renderError);
  return app;
}

function requestFields(c: Context<AppEnv>, ms: number): Record<string, unknown> {
  const { request_id, identity, route, error } = c.var;
  const response = { status: c.res.status, error, ms, ...c.var.db.usage };
  return { method: c.req.raw.method, path: route, ...response, request_id, role: identity?.role ?? null };
}

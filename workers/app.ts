/** The HTTP application: request id and clock in front, every route mounted, one renderer of errors. */
import { Hono } from 'hono';
import { HEADER } from '../schema/contracts/common.ts';
import { newId } from '../schema/ids.ts';
import { openDatabase } from './db.ts';
import type { AppEnv } from './env.ts';
import { notFound, renderError } from './errors.ts';
import { ROUTES } from './routes/index.ts';

const REQUEST_ID = /^[A-Za-z0-9_-]{8,128}$/;

export function createApp(clock: () => number = Date.now): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    const now = clock();
    const given = c.req.header(HEADER.request_id);
    const requestId = given !== undefined && REQUEST_ID.test(given) ? given : newId('request', now);
    c.set('request_id', requestId);
    c.set('now', now);
    c.set('db', openDatabase(c.env.DB));
    c.set('principal', null);
    await next();
    c.res.headers.set(HEADER.request_id, requestId);
  });
  app.get('/healthz', (c) => c.text('ok'));
  for (const route of ROUTES) route.mount(app);
  app.notFound(notFound(ROUTES.map((route) => route.spec)));
  app.onError(renderError);
  return app;
}

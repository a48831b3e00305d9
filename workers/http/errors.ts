/** The one renderer of errors. An unexpected one is logged with its stack and answered without it. */
import type { Context, ErrorHandler, NotFoundHandler } from 'hono';
import { errorBody, HEADER } from '../../schema/contracts/common.ts';
import { AppError } from '../../schema/errors.ts';
import type { AppEnv } from '../env.ts';
import { log } from '../log.ts';
import type { RouteSpec } from './route.ts';

export const renderError: ErrorHandler<AppEnv> = (error, c) => {
  if (error instanceof AppError) return respond(c, error);
  log('error', 'request_failed', {
    request_id: c.var.request_id,
    path: c.req.path,
    error: error.message,
    cause: error.cause === undefined ? undefined : String(error.cause),
    stack: error.stack,
  });
  return respond(c, new AppError('internal', 'something went wrong here; the request id finds it in the logs'));
};

/**
 * What no route took: 405 with `allow` for a path that exists with another method, the same list as the answer to
 * OPTIONS, and 404 for any other path.
 */
export function notFound(specs: readonly Pick<RouteSpec, 'method' | 'path'>[]): NotFoundHandler<AppEnv> {
  const known = specs.map(({ method, path }) => ({
    methods: method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()],
    pattern: new RegExp(`^${path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:[a-z_]+/g, '[^/]+')}$`),
  }));
  return (c) => {
    const methods = known.filter(({ pattern }) => pattern.test(c.req.path)).flatMap((route) => route.methods);
    if (methods.length === 0) return respond(c, new AppError('not_found', `there is nothing at ${c.req.path}`));
    const allow = [...new Set([...methods, 'OPTIONS'])].join(', ');
    if (c.req.method === 'OPTIONS') return c.body(null, 204, { allow });
    return respond(c, new AppError('method_not_allowed', `this path takes ${allow}`, { headers: { allow } }));
  };
}

function respond(c: Context<AppEnv>, error: AppError): Response {
  c.set('error', error.code);
  return c.json(errorBody(error, c.var.request_id), error.status, {
    ...error.headers,
    [HEADER.request_id]: c.var.request_id,
  });
}

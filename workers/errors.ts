/** The one renderer of errors. An unexpected one is logged with its stack and answered without it. */
import type { Context, ErrorHandler, NotFoundHandler } from 'hono';
import { HEADER } from '../schema/contracts/common.ts';
import { AppError } from '../schema/errors.ts';
import type { AppEnv } from './env.ts';
import type { RouteSpec } from './route.ts';

export const renderError: ErrorHandler<AppEnv> = (error, c) => {
  if (error instanceof AppError) return respond(c, error);
  console.error(
    JSON.stringify({
      level: 'error',
      request_id: c.var.request_id,
      path: c.req.path,
      error: error.message,
      stack: error.stack,
    }),
  );
  return respond(c, new AppError('internal', 'something went wrong here; the request id finds it in the logs'));
};

/** 405 for a path that exists with another method, 404 for any other. */
export function notFound(specs: readonly RouteSpec[]): NotFoundHandler<AppEnv> {
  const known = specs.map(({ method, path }) => ({
    method: method.toUpperCase(),
    pattern: new RegExp(`^${path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:[a-z_]+/g, '[^/]+')}/?$`),
  }));
  return (c) => {
    const allow = known.filter(({ pattern }) => pattern.test(c.req.path)).map(({ method }) => method);
    if (allow.length === 0) return respond(c, new AppError('not_found', `there is nothing at ${c.req.path}`));
    const methods = [...new Set(allow)].join(', ');
    return respond(
      c,
      new AppError('method_not_allowed', `this path takes ${methods}`, { headers: { allow: methods } }),
    );
  };
}

function respond(c: Context<AppEnv>, error: AppError): Response {
  const { code, message, details, status } = error;
  const body = { ok: false, request_id: c.var.request_id, error: code, message, details };
  return c.json(body, status, { ...error.headers, [HEADER.request_id]: c.var.request_id });
}

/** The one renderer of errors. An unexpected error is logged with its stack; its response says nothing of the cause. */
import type { Context, ErrorHandler, NotFoundHandler } from 'hono';
import { errorBody, HEADER } from '../../schema/contracts/common.ts';
import { AppError } from '../../schema/errors.ts';
import { databaseUnavailable, isDatabaseTrouble } from '../db/unavailable.ts';
import type { AppEnv } from '../env.ts';
import { log } from '../log.ts';

export const renderError: ErrorHandler<AppEnv> = (error, c) => {
  if (error instanceof AppError) return respond(c, error);
  const message = withoutParams(error.message);
  log('error', 'request_failed', {
    request_id: c.var.requestId,
    path: c.req.path,
    error: message,
    cause: error.cause === undefined ? undefined : String(error.cause),
    stack: error.stack?.replace(error.message, () => message),
  });
  if (isDatabaseTrouble(error)) return respond(c, databaseUnavailable());
  return respond(
    c,
    new AppError('internal', `internal error; the log of the edge has its cause under ${c.var.requestId}`),
  );
};

/** drizzle's message of a failed query, without the values of the query: these may be texts of people. */
function withoutParams(message: string): string {
  return message.split('\nparams: ')[0] ?? message;
}

export const notFound: NotFoundHandler<AppEnv> = (c) =>
  respond(c, new AppError('not_found', `there is nothing at ${c.req.path}`));

/** For a path that has routes, but none of this method: 405 with `allow`, or that list as the response to OPTIONS. */
export function refuseMethod(c: Context<AppEnv>, methods: readonly string[]): Response {
  const allow = [...methods, 'OPTIONS'].join(', ');
  if (c.req.method !== 'OPTIONS') {
    return respond(c, new AppError('method_not_allowed', `this path takes ${allow}`, { headers: { allow } }));
  }
  c.set('error', null);
  return new Response(null, { status: 204, headers: { allow } });
}

function respond(c: Context<AppEnv>, error: AppError): Response {
  c.set('error', error.code);
  return c.json(errorBody(error, c.var.requestId), error.status, {
    ...error.headers,
    [HEADER.request_id]: c.var.requestId,
  });
}

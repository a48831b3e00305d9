/**
 * What holds for every request and response, whichever route it is: the host name that was asked for is one of the
 * edge's own, and no response is kept by a cache unless its route says so.
 */
import type { Context, Next } from 'hono';
import { API_LEVEL, HEADER } from '../../schema/contracts/common.ts';
import { AppError } from '../../schema/errors.ts';
import type { AppEnv } from '../env.ts';

/**
 * Throws `forbidden` for a host name that is not among `BAA_HOSTS`; empty allows every name. The local edge names
 * loopback only: a page of another site that points its own name at 127.0.0.1 gets no further.
 */
export async function requireOwnHost(c: Context<AppEnv>, next: Next): Promise<void> {
  const { BAA_HOSTS = '' }: Partial<Env> = c.env;
  const own = BAA_HOSTS.split(',').flatMap((name) => name.trim().toLowerCase() || []);
  const { hostname } = new URL(c.req.url);
  if (own.length > 0 && !own.includes(hostname)) {
    throw new AppError(
      'forbidden',
      `this edge does not answer to the host name of the request; it has ${own.join(', ')}`,
      {
        details: { in: 'header', field: 'host', expected: own.join(', ') },
      },
    );
  }
  await next();
}

/**
 * Names the level of the API, and keeps responses out of every cache: most need authentication, and what they show
 * changes.
 */
export async function markResponse(c: Context<AppEnv>, next: Next): Promise<void> {
  await next();
  // The headers of an upgrade cannot be changed.
  if (c.res.status === 101) return;
  c.header(HEADER.api_level, String(API_LEVEL));
  const chosen = c.res.headers.get('cache-control');
  // A cache may store a `no-cache` response, which is what hono gives to streams.
  if (chosen !== null && chosen !== 'no-cache') return;
  c.header('cache-control', 'no-store');
}

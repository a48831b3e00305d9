/**
 * Routes as values: `read`, `write`, `raw` and `publicRoute` turn a RouteSpec and a handler into a route that app.ts
 * mounts. A handler gets validated input; its return value becomes the response.
 */
import type { Context, Hono } from 'hono';
import type { z } from 'zod';
import { HEADER } from '../../schema/contracts/common.ts';
import type { ChainHead } from '../../schema/contracts/journal.ts';
import type { Role } from '../../schema/contracts/tokens.ts';
import { sha256Hex } from '../crypto/hash.ts';
import { commit } from '../db/commit.ts';
import type { Idempotency } from '../db/idempotency.ts';
import { parseIdempotencyKey } from '../db/idempotency.ts';
import type { WritePlan } from '../db/plan.ts';
import type { AppEnv } from '../env.ts';
import { parse } from './parse.ts';
import type { Input } from './request.ts';
import { receive } from './request.ts';
import type { Parsed, RouteSpec, Schema } from './route-spec.ts';

/** Roles that may read everything. A route that nodes may read too names `controller` as well. */
export const READERS = ['readonly', 'browser_admin', 'ops_admin'] as const satisfies readonly Role[];
export const PEOPLE = ['browser_admin', 'ops_admin'] as const satisfies readonly Role[];
export const OPERATORS = ['ops_admin'] as const satisfies readonly Role[];
export const NODES = ['controller'] as const satisfies readonly Role[];

export interface MountedRoute {
  spec: RouteSpec;
  mount(app: Hono<AppEnv>): void;
}

/**
 * A route without a plan of its own: the handler returns `data` of the response. A GET changes nothing; a POST may commit
 * what it asks for itself.
 */
export function read<P extends Schema, Q extends Schema, B extends Schema, D extends z.ZodType>(
  spec: RouteSpec<P, Q, B, D>,
  handler: (input: Input<P, Q, B>) => Promise<z.input<D>>,
): MountedRoute {
  return mountable(spec, async (c) => {
    const { input } = await receive(c, spec);
    return render(c, 200, await handler(input));
  });
}

/**
 * A route that writes: `decide` reads and returns a plan, which commit.ts writes. `finish` runs after the commit, for a
 * repeated request too, and may add headers.
 */
export function write<P extends Schema, Q extends Schema, B extends Schema, D extends z.ZodType>(
  spec: RouteSpec<P, Q, B, D>,
  decide: (input: Input<P, Q, B>) => Promise<WritePlan<z.input<D>>>,
  finish: (input: Input<P, Q, B>, response: z.input<D>) => void | Promise<void> = () => undefined,
): MountedRoute {
  const status = spec.status === 201 ? 201 : 200;
  return mountable(spec, async (c) => {
    const { input, text } = await receive(c, spec);
    const { env, db, now, principal } = input;
    const context = {
      env,
      db,
      now,
      by: { principal, action: `${spec.method.toUpperCase()} ${spec.path}`, request_id: c.var.requestId },
      idempotency: await idempotencyOf(c, input, text, status),
      waitUntil: (work: Promise<unknown>) => c.executionCtx.waitUntil(work),
      onJournalHead: ({ seq, hash }: ChainHead) => c.header(HEADER.journal_head, `${seq}:${hash}`),
    };
    const response = await commit(context, () => decide(input));
    await finish(input, response);
    return render(c, status, response);
  });
}

/** A route whose response is not JSON: an upgrade, a stream, a file. Authorized and validated like any other. */
export function raw<P extends Schema, Q extends Schema, B extends Schema>(
  spec: RouteSpec<P, Q, B>,
  handler: (input: Input<P, Q, B>) => Promise<Response>,
): MountedRoute {
  return mountable(spec, async (c) => handler((await receive(c, spec)).input));
}

/** A route that anyone may call; a token is ignored. */
export function publicRoute<P extends Schema>(
  spec: Omit<RouteSpec<P>, 'roles' | 'query' | 'body'>,
  handler: (c: Context<AppEnv>, params: Parsed<P>) => Response | Promise<Response>,
): MountedRoute {
  return mountable({ ...spec, roles: [] }, async (c) =>
    handler(c, parse(spec.params, c.req.param(), 'path') as Parsed<P>),
  );
}

function mountable(spec: RouteSpec, handler: (c: Context<AppEnv>) => Promise<Response>): MountedRoute {
  const handle = (c: Context<AppEnv>) => {
    c.set('route', spec.path);
    return handler(c);
  };
  return { spec, mount: (app) => void app.on(spec.method.toUpperCase(), spec.path, handle) };
}

async function idempotencyOf(
  c: Context<AppEnv>,
  { principal }: Input<Schema, Schema, Schema>,
  text: string,
  status: number,
): Promise<Idempotency | null> {
  const key = c.req.header(HEADER.idempotency_key);
  if (key === undefined) return null;
  const body_hash = await sha256Hex(`${c.req.method} ${c.req.path}\n${text}`);
  return parseIdempotencyKey(key, principal, { body_hash, status, credential: c.var.credential });
}

function render(c: Context<AppEnv>, status: 200 | 201, data: unknown): Response {
  return c.json({ ok: true, request_id: c.var.requestId, data }, status);
}

/**
 * Routes as values. A route says its method, path, who may call it, its schemas and its answer once; mounting,
 * validation, authorization, the OpenAPI document and the tests that try every route derive from that.
 */
import type { Context, Hono } from 'hono';
import { z } from 'zod';
import { HEADER } from '../../schema/contracts/common.ts';
import type { Role, Session } from '../../schema/contracts/tokens.ts';
import { HTTP } from '../../schema/defaults.ts';
import type { ErrorCode } from '../../schema/errors.ts';
import { AppError } from '../../schema/errors.ts';
import { authenticate, authenticateSignIn } from '../auth/authenticate.ts';
import { sha256Hex } from '../crypto/hash.ts';
import { commit } from '../db/commit.ts';
import { parseIdempotencyKey } from '../db/idempotency.ts';
import type { Database } from '../db/open.ts';
import type { WritePlan } from '../db/plan.ts';
import type { AppEnv } from '../env.ts';

/** Reads everything; `controller` is named where a node may read too. */
export const READERS = ['readonly', 'browser_admin', 'ops_admin'] as const satisfies readonly Role[];
export const PEOPLE = ['browser_admin', 'ops_admin'] as const satisfies readonly Role[];
export const OPERATORS = ['ops_admin'] as const satisfies readonly Role[];
export const NODES = ['controller'] as const satisfies readonly Role[];

type Schema = z.ZodType | undefined;
type Parsed<S extends Schema> = S extends z.ZodType ? z.output<S> : undefined;

export interface RouteSpec<
  P extends Schema = Schema,
  Q extends Schema = Schema,
  B extends Schema = Schema,
  D extends z.ZodType = z.ZodType,
> {
  method: 'get' | 'post' | 'put' | 'delete';
  /** With `:name` parameters, as hono spells them. */
  path: string;
  summary: string;
  tag: string;
  /** Who may call it; nobody in particular for the few routes that `open` mounts. */
  roles: readonly Role[];
  params?: P;
  query?: Q;
  body?: B;
  /** What `data` of the envelope holds. */
  data: D;
  /** Of a success; 101 is an upgrade to a WebSocket. */
  status?: 101 | 200 | 201;
  /** The media type of an answer that is not the JSON envelope; `data` then describes its content. */
  produces?: string;
  /** Codes beyond those that every route may answer. */
  errors?: readonly ErrorCode[];
  /** Takes a token and nothing else: as `token` of the body, or in the header. */
  signsIn?: true;
}

export interface Input<P extends Schema, Q extends Schema, B extends Schema> {
  c: Context<AppEnv>;
  env: Env;
  db: Database;
  now: number;
  principal: Session;
  params: Parsed<P>;
  query: Parsed<Q>;
  body: Parsed<B>;
  /** How old the body already was when it was sent (`x-baa-age-ms`); not part of the idempotent body. */
  ageMs: number;
}

export interface MountedRoute {
  spec: RouteSpec;
  mount(app: Hono<AppEnv>): void;
}

/** A route that changes nothing: the handler's return value is the answer. */
export function read<P extends Schema, Q extends Schema, B extends Schema, D extends z.ZodType>(
  spec: RouteSpec<P, Q, B, D>,
  handler: (input: Input<P, Q, B>) => Promise<z.input<D>>,
): MountedRoute {
  return mounted(spec, async (c) => {
    const { input } = await receive(c, spec);
    return render(c, 200, await handler(input));
  });
}

/**
 * A route that writes: the handler reads and decides, and returns a plan (commit.ts). `finish` adds headers to an
 * answer once it stands, to that of a repeat too.
 */
export function write<P extends Schema, Q extends Schema, B extends Schema, D extends z.ZodType>(
  spec: RouteSpec<P, Q, B, D>,
  decide: (input: Input<P, Q, B>) => Promise<WritePlan<z.input<D>>>,
  finish: (input: Input<P, Q, B>, response: z.input<D>) => void | Promise<void> = () => undefined,
): MountedRoute {
  const status = spec.status === 201 ? 201 : 200;
  return mounted(spec, async (c) => {
    const { input, text } = await receive(c, spec);
    const key = c.req.header(HEADER.idempotency_key);
    const response = await commit(
      {
        db: input.db,
        now: input.now,
        by: {
          principal: input.principal,
          action: `${spec.method.toUpperCase()} ${spec.path}`,
          request_id: c.var.request_id,
        },
        idempotency:
          key === undefined
            ? null
            : parseIdempotencyKey(key, input.principal, {
                body_hash: await sha256Hex(`${c.req.method} ${c.req.path}\n${text}`),
                status,
                bearer: c.var.credential,
              }),
        waitUntil: (work) => c.executionCtx.waitUntil(work),
      },
      () => decide(input),
    );
    await finish(input, response);
    return render(c, status, response);
  });
}

/** A route whose answer is not JSON: an upgrade, a stream, a file. Authorized and validated like any other. */
export function raw<P extends Schema, Q extends Schema>(
  spec: RouteSpec<P, Q, undefined>,
  handler: (input: Input<P, Q, undefined>) => Promise<Response>,
): MountedRoute {
  return mounted(spec, async (c) => handler((await receive(c, spec)).input));
}

/** A route that anyone may call: no token is looked at. */
export function open<P extends Schema>(
  spec: Omit<RouteSpec<P>, 'roles' | 'query' | 'body'>,
  handler: (c: Context<AppEnv>, params: Parsed<P>) => Response | Promise<Response>,
): MountedRoute {
  return mounted({ ...spec, roles: [] }, async (c) => {
    return handler(c, parse(spec.params, c.req.param(), 'path') as Parsed<P>);
  });
}

function mounted(spec: RouteSpec, handler: (c: Context<AppEnv>) => Promise<Response>): MountedRoute {
  const handle = (c: Context<AppEnv>) => {
    c.set('route', spec.path);
    return handler(c);
  };
  return { spec, mount: (app) => void app.on(spec.method.toUpperCase(), spec.path, handle) };
}

function render(c: Context<AppEnv>, status: 200 | 201, data: unknown): Response {
  return c.json({ ok: true, request_id: c.var.request_id, data }, status);
}

async function receive<P extends Schema, Q extends Schema, B extends Schema>(
  c: Context<AppEnv>,
  spec: RouteSpec<P, Q, B>,
) {
  const early = spec.signsIn === true ? await bodyText(c) : null;
  const found = early === null ? await authenticate(c) : await authenticateSignIn(c, tokenIn(early));
  const { identity: principal, credential } = found;
  c.set('identity', principal);
  c.set('credential', credential);
  if (!spec.roles.includes(principal.role)) {
    throw new AppError('forbidden', `the role ${principal.role} may not do this`, {
      details: { allowed: [...spec.roles] },
    });
  }
  const text = early ?? (spec.body === undefined ? '' : await bodyText(c));
  const input: Input<P, Q, B> = {
    c,
    env: c.env,
    db: c.var.db,
    now: c.var.now,
    principal,
    params: parse(spec.params, c.req.param(), 'path') as Parsed<P>,
    query: parse(spec.query, c.req.query(), 'query') as Parsed<Q>,
    body: parse(spec.body, spec.body === undefined ? undefined : json(text), 'body') as Parsed<B>,
    ageMs: parse(AgeSchema, c.req.header(HEADER.age_ms), HEADER.age_ms),
  };
  requireOwnership(principal, input.params, input.body);
  return { input, text };
}

const AgeSchema = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0);

/** A node acts for itself only: any `controller_id` it names must be the one its token is bound to. */
function requireOwnership(principal: Session, ...named: unknown[]): void {
  if (principal.controller_id === null) return;
  for (const part of named) {
    const id = (part as { controller_id?: unknown } | undefined)?.controller_id;
    if (id !== undefined && id !== principal.controller_id) {
      throw new AppError('not_owner', `this token belongs to ${principal.controller_id}`, {
        details: { field: 'controller_id' },
      });
    }
  }
}

/** Read piece by piece, so that a body that says nothing of its length is not taken in whole to be refused. */
async function bodyText(c: Context<AppEnv>): Promise<string> {
  const tooLarge = new AppError('payload_too_large', `a body has at most ${HTTP.max_body_bytes} bytes`);
  if (Number(c.req.header('content-length')) > HTTP.max_body_bytes) throw tooLarge;
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const piece of c.req.raw.body ?? []) {
    bytes += piece.byteLength;
    if (bytes > HTTP.max_body_bytes) throw tooLarge;
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

/** The token of a body that is to sign in; whatever else is wrong with it is found afterwards. */
function tokenIn(text: string): string | null {
  try {
    return SignInSchema.parse(JSON.parse(text)).token;
  } catch {
    return null;
  }
}

const SignInSchema = z.object({ token: z.string() });

function json(text: string): unknown {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new AppError('invalid_request', 'the body is not JSON', { details: { field: 'body', expected: 'JSON' } });
  }
}

/** Parses with the contract; the first issue names the field and what was expected. */
export function parse<S extends Schema>(schema: S, value: unknown, where: string): Parsed<S> {
  if (schema === undefined) return undefined as Parsed<S>;
  const result = schema.safeParse(value);
  if (result.success) return result.data as Parsed<S>;
  const issues = result.error.issues.map((issue) => ({
    field: (issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]] : issue.path).join('.') || where,
    expected: issue.message,
  }));
  const [first] = issues;
  throw new AppError('invalid_request', `${first?.field}: ${first?.expected}`, {
    details: { in: where, ...first, issues: issues.slice(0, 20) },
  });
}

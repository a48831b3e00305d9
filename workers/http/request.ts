/** Receives a request for a route: authenticates, authorizes and validates it, in this order. */
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import { HEADER } from '../../schema/contracts/common.ts';
import type { Session } from '../../schema/contracts/tokens.ts';
import { HTTP } from '../../schema/defaults.ts';
import { bodyProblem } from '../../schema/domain/media.ts';
import { AppError } from '../../schema/errors.ts';
import { readJson } from '../../schema/json-text.ts';
import { authenticate, authenticateSignIn } from '../auth/authenticate.ts';
import { requireOwnNodeId } from '../auth/ownership.ts';
import type { Edge } from '../db/plan.ts';
import type { AppEnv } from '../env.ts';
import { parse } from './parse.ts';
import type { Parsed, RouteSpec, Schema } from './route-spec.ts';

/** A validated request, as a route's handler takes it. */
export interface Input<P extends Schema, Q extends Schema, B extends Schema> extends Edge {
  c: Context<AppEnv>;
  principal: Session;
  params: Parsed<P>;
  query: Parsed<Q>;
  body: Parsed<B>;
  /** Age of the body when it was sent (`x-baa-age-ms`); not part of the idempotent body. */
  ageMs: number;
}

const AgeSchema = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0);
const SignInSchema = z.object({ token: z.string() });

/** The input for the handler and the text of the body. Throws AppError for a request that the route does not accept. */
export async function receive<P extends Schema, Q extends Schema, B extends Schema>(
  c: Context<AppEnv>,
  spec: RouteSpec<P, Q, B>,
): Promise<{ input: Input<P, Q, B>; text: string }> {
  // A sign-in carries its token in the body; every other body is read after authorization.
  const early = spec.signsIn === true ? await readBody(c) : null;
  const { identity, credential } = early === null ? await authenticate(c) : await authenticateSignIn(c, tokenIn(early));
  c.set('identity', identity);
  c.set('credential', credential);
  if (!spec.roles.includes(identity.role)) {
    throw new AppError('forbidden', `the role ${identity.role} may not do this`, {
      details: { allowed: [...spec.roles] },
    });
  }
  const text = early ?? (spec.body === undefined ? '' : await readBody(c, spec.maxBodyBytes));
  const input: Input<P, Q, B> = {
    c,
    env: c.env,
    db: c.var.db,
    now: c.var.now,
    principal: identity,
    params: parse(spec.params, c.req.param(), 'path') as Parsed<P>,
    query: parse(spec.query, c.req.query(), 'query') as Parsed<Q>,
    body: parse(spec.body, spec.body === undefined ? undefined : parseJson(text), 'body') as Parsed<B>,
    ageMs: parse(AgeSchema, c.req.header(HEADER.age_ms), HEADER.age_ms),
  };
  requireOwnNodeId(identity, input.params, input.body);
  return { input, text };
}

function limitBody(maxSize: number) {
  return bodyLimit({
    maxSize,
    onError: () => {
      throw new AppError('payload_too_large', `a body has at most ${maxSize} bytes`);
    },
  });
}

async function readBody(c: Context<AppEnv>, maxBytes: number = HTTP.max_body_bytes): Promise<string> {
  const problem = bodyProblem({
    contentType: c.req.header('content-type'),
    contentEncoding: c.req.header('content-encoding'),
  });
  if (problem !== null) {
    throw new AppError('unsupported_media_type', `${problem.field}: ${problem.expected}`, {
      details: { in: 'header', ...problem },
    });
  }
  await limitBody(maxBytes)(c, async () => undefined);
  return c.req.text();
}

/** The token of a sign-in's body, or null; the body is validated after authentication. */
function tokenIn(text: string): string | null {
  const body = readJson(text);
  const signIn = SignInSchema.safeParse(body.ok ? body.value : null);
  return signIn.success ? signIn.data.token : null;
}

function parseJson(text: string): unknown {
  if (text.trim() === '') return {};
  const body = readJson(text);
  if (body.ok) return body.value;
  const field = body.field || 'body';
  throw new AppError('invalid_request', `${field}: ${body.expected}`, {
    details: { in: 'body', field, expected: body.expected },
  });
}

/** Sessions of pages: sign in with a token or a link, show the caller, sign out. session-cookie.ts has the cookie itself. */
import type { Context } from 'hono';
import { z } from 'zod';
import type { Session } from '../../schema/contracts/tokens.ts';
import {
  ROLES,
  SessionBodySchema,
  SessionEndedSchema,
  SessionSchema,
  SignInCodeSchema,
  SignInLinkSchema,
} from '../../schema/contracts/tokens.ts';
import { AppError } from '../../schema/errors.ts';
import { bootstrapSecret } from '../crypto/bootstrap-secret.ts';
import { sha256Hex } from '../crypto/hash.ts';
import { commit } from '../db/commit.ts';
import { storeEnd } from '../db/ended-sessions.ts';
import type { AppEnv } from '../env.ts';
import { servePage, wantsPage } from '../http/page-files.ts';
import type { MountedRoute } from '../http/route.ts';
import { OPERATORS, publicRoute, READERS, read, write } from '../http/route.ts';
import { authenticateEarlier, tokenLimits } from './authenticate.ts';
import { endSession, SESSION_LASTS_MS, startSession } from './session-cookie.ts';
import { makeLink, SIGN_IN_PATH, tokenOfLink, useLink } from './sign-in-links.ts';

const tag = 'session';
const path = '/v1/session';

export const session: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path,
      summary: 'Show the caller and how it is authenticated',
      tag,
      roles: ROLES,
      data: SessionSchema,
    },
    async ({ principal }) => principal,
  ),
  write(
    {
      method: 'post',
      path,
      summary:
        'Sign in with a token: sets a session cookie that expires with the token, at the latest after twelve hours',
      tag,
      roles: READERS,
      body: SessionBodySchema,
      data: SessionSchema,
      signsIn: true,
    },
    async ({ c, principal, now }) => {
      const { expires_at } = await tokenLimits(c, principal.token_id);
      const response: Session = { ...principal, via: 'session', expires_at: endOfSession(now, expires_at) };
      return { subject_id: principal.token_id, response };
    },
    async ({ c, env, now }, { token_id, expires_at }) => {
      const { token_hash } = await tokenLimits(c, token_id);
      await startSession(c, bootstrapSecret(env), { token_id, token_hash, ends_at: expires_at ?? now });
    },
  ),
  write(
    {
      method: 'delete',
      path,
      summary: 'Sign out: ends the session and deletes its cookie',
      tag,
      roles: READERS,
      data: SessionEndedSchema,
    },
    async ({ c, db, now, principal }) => ({
      statements: principal.via === 'session' ? [storeEnd(db, await sha256Hex(c.var.credential), now)] : [],
      subject_id: principal.token_id,
      response: { signed_out: true } as const,
    }),
    ({ c }) => endSession(c),
  ),
  write(
    {
      method: 'post',
      path: '/v1/session/links',
      summary: 'Make a link that signs a page in as this caller, once and within five minutes',
      tag,
      roles: OPERATORS,
      body: z.strictObject({}),
      data: SignInLinkSchema,
      status: 201,
    },
    async ({ c, principal, ...edge }) => {
      if (principal.via === 'access') {
        throw new AppError('conflict', 'a login of Cloudflare Access has no token that a link could sign in with');
      }
      const { link, plan } = await makeLink(edge, principal.token_id, c.req.url);
      return { ...plan, subject_id: principal.token_id, response: link, secret: true };
    },
  ),
  publicRoute(
    {
      method: 'get',
      path: `${SIGN_IN_PATH}/:code`,
      summary: 'Sign a page in by a link, once: sets the session cookie and leads to the status page',
      tag,
      params: z.object({ code: SignInCodeSchema }),
      data: z.string(),
      status: 303,
      errors: ['invalid_token', 'unknown_token', 'expired_token', 'revoked_token', 'forbidden', 'rate_limited'],
    },
    async (c, { code }) => {
      try {
        return await signInByLink(c, code);
      } catch (error) {
        // A person who opens it gets the page, which says what is wrong and offers the sign-in.
        if (error instanceof AppError && error.status === 401 && wantsPage(c)) return servePage(c, error.status);
        throw error;
      }
    },
  ),
];

const endOfSession = (now: number, tokenExpiresAt: number | null): number =>
  Math.min(now + SESSION_LASTS_MS, tokenExpiresAt ?? Number.POSITIVE_INFINITY);

async function signInByLink(c: Context<AppEnv>, code: string): Promise<Response> {
  // HEAD, and an image or a script of another page, do not use the link up. A program that sends no Sec-Fetch-Dest signs in.
  if (c.req.raw.method === 'HEAD') return c.body(null, 200);
  if ((c.req.header('sec-fetch-dest') ?? 'document') !== 'document') {
    throw new AppError('forbidden', 'a sign-in link is opened as a page, not by another page');
  }
  const { env } = c;
  const { db, now } = c.var;
  const find = () => tokenOfLink(db, code, now);
  const principal = await authenticateEarlier(c, find);
  c.set('identity', principal);
  const by = { principal, action: `GET ${SIGN_IN_PATH}/:code`, request_id: c.var.requestId };
  const waitUntil = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  await commit({ db, now, by, idempotency: null, waitUntil }, async () => {
    const subject_id = await find();
    return { ...(await useLink({ env, db, now }, code)), subject_id, response: null };
  });
  const { token_hash, expires_at } = await tokenLimits(c, principal.token_id);
  const ends_at = endOfSession(now, expires_at);
  await startSession(c, bootstrapSecret(env), { token_id: principal.token_id, token_hash, ends_at });
  c.header('referrer-policy', 'no-referrer');
  return c.redirect('/', 303);
}

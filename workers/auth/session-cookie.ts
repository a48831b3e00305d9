/**
 * The session of a signed-in page: a cookie with the id of the token that signed in and an expiry, signed under a key
 * derived from the bootstrap secret, over that token's hash too. The edge stores nothing for it before it is signed out
 * (db/ended-sessions.ts). A session ends at its expiry, and at once by a sign-out, when the token is revoked, rotated or
 * expires, or when the secret changes.
 *
 * The cookie is always `Secure`. Chrome and Firefox accept that on http://127.0.0.1 and http://localhost; Safari does
 * not and needs https. The prefix `__Host-` is left out because not every browser accepts it there.
 */
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { cutText } from '../../schema/domain/cut-text.ts';
import { makeVisibleLine } from '../../schema/domain/visible.ts';
import { AppError } from '../../schema/errors.ts';
import { isSignedBy, SIGNATURE_PATTERN, sign } from '../crypto/signature.ts';
import type { AppEnv } from '../env.ts';

/** The cookie's name where the address names no port. */
export const SESSION_COOKIE = 'conductor_session';
export const SESSION_LASTS_MS = 12 * 3_600_000;
const PURPOSE = 'conductor session';
const COOKIE = new RegExp(`^([a-z0-9_]{1,64})[.]([0-9a-z]{1,11})[.]([0-9a-f]{32})[.](${SIGNATURE_PATTERN})$`);
const ATTRIBUTES = { httpOnly: true, secure: true, sameSite: 'Strict' } as const;

/** What the cookie signs. The token's hash is part of it, so that a rotated token ends its sessions. */
export interface SessionClaims {
  token_id: string;
  token_hash: string;
  /** Unix milliseconds. */
  ends_at: number;
  /** Random, so that sessions of one token with one end differ: to sign one out leaves the others. */
  nonce: string;
}

/** Browsers send a cookie to each port of a host: by its name each system of one machine has a cookie of its own. */
function cookieName(c: Context<AppEnv>): string {
  const { port } = new URL(c.req.url);
  return port === '' ? SESSION_COOKIE : `${SESSION_COOKIE}_${port}`;
}

/** The session cookie of the request, parsed but not verified; null without one. Throws `invalid_token`. */
export function readSession(
  c: Context<AppEnv>,
): { cookie: string; token_id: string; ends_at: number; nonce: string; mac: string } | null {
  const cookie = getCookie(c, cookieName(c));
  if (cookie === undefined || cookie === '') return null;
  const [, token_id, end, nonce, mac] = COOKIE.exec(cookie) ?? [];
  if (token_id === undefined || end === undefined || nonce === undefined || mac === undefined) throw invalidSession();
  return { cookie, token_id, ends_at: Number.parseInt(end, 36), nonce, mac };
}

export function invalidSession(): AppError {
  return new AppError('invalid_token', 'this session is not valid: sign in again');
}

export function isSignedSession(secret: string, claims: SessionClaims, mac: string): Promise<boolean> {
  return isSignedBy(secret, PURPOSE, signedText(claims), mac);
}

/** Sets the cookie of a new session on the response. */
export async function startSession(
  c: Context<AppEnv>,
  secret: string,
  limits: Omit<SessionClaims, 'nonce'>,
): Promise<void> {
  const claims = { ...limits, nonce: crypto.randomUUID().replaceAll('-', '') };
  const mac = await sign(secret, PURPOSE, signedText(claims));
  const maxAge = Math.max(0, Math.floor((claims.ends_at - c.var.now) / 1_000));
  const value = `${claims.token_id}.${claims.ends_at.toString(36)}.${claims.nonce}.${mac}`;
  setCookie(c, cookieName(c), value, { ...ATTRIBUTES, maxAge });
}

/** Makes the browser delete the cookie. */
export function endSession(c: Context<AppEnv>): void {
  deleteCookie(c, cookieName(c), ATTRIBUTES);
}

/**
 * Throws `forbidden` unless the request comes from a page of this origin: a browser sends the cookie with requests of
 * other sites too. `if present` accepts a request without an Origin header. `what`: the request, as the error names it.
 */
export function requireSameOrigin(c: Context<AppEnv>, when: 'always' | 'if present', what: string): void {
  const origin = c.req.header('origin');
  if (origin === undefined && when === 'if present') return;
  const expected = new URL(c.req.url).origin;
  if (origin === expected) return;
  throw new AppError('forbidden', `${what} must come from a page of ${expected}, not of ${shownOrigin(origin)}`, {
    details: { in: 'header', field: 'origin', expected },
  });
}

const ORIGIN_SHOWN_CHARS = 100;

/** As the header has it, which any program can write. */
function shownOrigin(origin: string | undefined): string {
  return origin === undefined ? 'an unnamed origin' : makeVisibleLine(cutText(origin, ORIGIN_SHOWN_CHARS));
}

function signedText({ token_id, token_hash, ends_at, nonce }: SessionClaims): string {
  return `${token_id}.${token_hash}.${ends_at}.${nonce}`;
}

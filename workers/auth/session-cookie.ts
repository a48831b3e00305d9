/**
 * The session of a page: a cookie that says which token signed in and until when, signed under a key derived from the
 * bootstrap secret together with that token's hash. Nothing is stored for it: it ends by its time, and at once when the
 * token is revoked, rotated or expires, or when the secret changes. No script can read it, no other site can send it.
 *
 * It is always `Secure`. Chrome and Firefox treat http://127.0.0.1 and http://localhost as trustworthy and keep it
 * there too; Safari does not, and needs https. The prefix `__Host-` is left out: not every browser allows it there.
 */
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import { AppError } from '../../schema/errors.ts';
import { fromBase64Url, toBase64Url } from '../crypto/base64.ts';
import { deriveKey } from '../crypto/hash.ts';
import type { AppEnv } from '../env.ts';

export const SESSION_COOKIE = 'conductor_session';
export const SESSION_LASTS_MS = 12 * 3_600_000;
const PURPOSE = 'conductor session';
/** `<token id>.<end in base 36>.<signature>` */
const COOKIE = /^([a-z0-9_]{1,64})\.([0-9a-z]{1,11})\.([A-Za-z0-9_-]{43})$/;

/** What is signed: the token by its id and its hash, so that a new secret for the token ends the session. */
export interface SessionClaims {
  token_id: string;
  token_hash: string;
  /** Unix milliseconds. */
  ends_at: number;
}

/** The cookie of the request, taken apart but not yet believed; null when there is none. Throws `invalid_token`. */
export function sessionOf(
  c: Context<AppEnv>,
): { cookie: string; token_id: string; ends_at: number; mac: string } | null {
  const cookie = getCookie(c, SESSION_COOKIE);
  if (cookie === undefined || cookie === '') return null;
  const [, token_id, end, mac] = COOKIE.exec(cookie) ?? [];
  if (token_id === undefined || end === undefined || mac === undefined) throw invalidSession();
  return { cookie, token_id, ends_at: Number.parseInt(end, 36), mac };
}

export function invalidSession(): AppError {
  return new AppError('invalid_token', 'this session is not valid, or no longer: sign in again');
}

export async function isSignedSession(secret: string, claims: SessionClaims, mac: string): Promise<boolean> {
  const bytes = fromBase64Url(mac);
  return bytes !== null && crypto.subtle.verify('HMAC', await keyOf(secret), bytes, signed(claims));
}

/** The `Set-Cookie` that starts a session. */
export async function startSession(secret: string, claims: SessionClaims, now: number): Promise<string> {
  const mac = await crypto.subtle.sign('HMAC', await keyOf(secret), signed(claims));
  const value = `${claims.token_id}.${claims.ends_at.toString(36)}.${toBase64Url(new Uint8Array(mac))}`;
  return setCookie(value, Math.floor((claims.ends_at - now) / 1_000));
}

/** The `Set-Cookie` that makes the browser forget it. */
export function endSession(): string {
  return setCookie('', 0);
}

/** A write without a bearer token may come from a page of ours only: a cookie goes along with what others ask for. */
export function requireSameOrigin(c: Context<AppEnv>, when: 'always' | 'if said'): void {
  const origin = c.req.header('origin');
  if (origin === undefined && when === 'if said') return;
  if (origin === new URL(c.req.url).origin) return;
  throw new AppError('forbidden', 'a write by session must come from a page of this origin', {
    details: { in: 'header', field: 'origin', expected: new URL(c.req.url).origin },
  });
}

function setCookie(value: string, maxAgeSec: number): string {
  return `${SESSION_COOKIE}=${value}; Path=/; Max-Age=${maxAgeSec}; HttpOnly; Secure; SameSite=Strict`;
}

function keyOf(secret: string): Promise<CryptoKey> {
  return deriveKey(secret, 'sign', PURPOSE);
}

function signed({ token_id, token_hash, ends_at }: SessionClaims): Uint8Array {
  return new TextEncoder().encode(`${token_id}.${token_hash}.${ends_at}`);
}

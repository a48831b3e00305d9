/**
 * Identifies the caller of a request. A bearer token is looked up by its SHA-256; the bootstrap secret is compared by
 * digest, in constant time. Without a bearer token the session cookie identifies the caller, then Cloudflare Access; a
 * write by one of these must come from a page of this origin. Authentication cannot be switched off: without a
 * configured secret every authenticated route responds `auth_not_configured`. Failures are counted per address, and too
 * many are `rate_limited`. A valid token is accepted from such an address too: tokens are too long to be guessed.
 */
import { eq, sql } from 'drizzle-orm';
import type { Context } from 'hono';
import type { Session } from '../../schema/contracts/tokens.ts';
import { TOKEN_PREFIX } from '../../schema/contracts/tokens.ts';
import type { ErrorCode } from '../../schema/errors.ts';
import { AppError } from '../../schema/errors.ts';
import type { TokenRow } from '../../schema/tables/index.ts';
import { tokens } from '../../schema/tables/index.ts';
import { bootstrapSecret } from '../crypto/bootstrap-secret.ts';
import { sha256, sha256Hex } from '../crypto/hash.ts';
import { wasSignedOut } from '../db/ended-sessions.ts';
import type { AppEnv } from '../env.ts';
import { accessIdentity } from './access.ts';
import { invalidSession, isSignedSession, readSession, requireSameOrigin } from './session-cookie.ts';

const BEARER = /^Bearer (.*)$/i;
const TOKEN = /^[\x21-\x7e]{8,256}$/;
const BOOTSTRAP_ID = 'bootstrap';
/** `last_used_at` is precise to the minute, which saves a write per request. */
const LAST_USED_GRAIN_MS = 60_000;
/** Errors that count as a failed attempt. A request without a token guesses nothing, so `missing_token` does not. */
const FAILED_ATTEMPTS: readonly ErrorCode[] = ['invalid_token', 'unknown_token', 'expired_token', 'revoked_token'];
/** The period of the binding AUTH_FAILURES in wrangler.toml. */
const FAILURE_PERIOD_SEC = 60;
const READ_METHODS = ['GET', 'HEAD'];

export interface Identified {
  identity: Session;
  /** The token, cookie or assertion that proved the identity. */
  credential: string;
}
/** A stored token, or the bootstrap secret in the same shape. */
type KnownToken = Pick<
  TokenRow,
  'token_id' | 'token_hash' | 'role' | 'subject' | 'controller_id' | 'expires_at' | 'revoked_at' | 'last_used_at'
>;

/** Identifies the caller. Throws AppError 401, 403, 429 or 503 with the documented code. */
export function authenticate(c: Context<AppEnv>): Promise<Identified> {
  return countingFailures(c, async () => {
    const secret = bootstrapSecret(c.env);
    if (c.req.header('authorization') !== undefined) return identifyByToken(c, secret, bearerToken(c));
    const found = await identifyPage(c, secret);
    if (found === null) throw missingToken();
    if (!READ_METHODS.includes(c.req.raw.method)) requireSameOrigin(c, 'always', 'a write by session');
    return found;
  });
}

/** Identifies a caller who signs in with a token from the body or the header. A session cannot start another one. */
export function authenticateSignIn(c: Context<AppEnv>, given: string | null): Promise<Identified> {
  return countingFailures(c, async () => {
    const secret = bootstrapSecret(c.env);
    requireSameOrigin(c, 'if present', 'a sign-in');
    return identifyByToken(c, secret, given ?? bearerToken(c));
  });
}

/**
 * Identifies a caller by a token that was proved before, such as by a sign-in link that `find` looks up; `find` throws for
 * one that is not valid. The token itself must still be valid.
 */
export function authenticateEarlier(c: Context<AppEnv>, find: () => Promise<string>): Promise<Session> {
  return countingFailures(c, async () => {
    const secret = bootstrapSecret(c.env);
    const row = await knownToken(c, secret, await find());
    if (row === null) throw new AppError('unknown_token', 'the token of this sign-in is no longer known');
    return toSession(requireValid(c, row), 'session', row.expires_at);
  });
}

/** Hash and expiry that bound a session or channel of that token. Throws `unknown_token` when it no longer exists. */
export async function tokenLimits(
  c: Context<AppEnv>,
  tokenId: string,
): Promise<Pick<KnownToken, 'token_hash' | 'expires_at'>> {
  const row = await knownToken(c, bootstrapSecret(c.env), tokenId);
  if (row === null) throw new AppError('unknown_token', 'unknown token');
  return row;
}

function bearerToken(c: Context<AppEnv>): string {
  const header = c.req.header('authorization');
  if (header === undefined) throw missingToken();
  const token = BEARER.exec(header)?.[1];
  if (token === undefined) throw new AppError('invalid_token', 'the Authorization header is not "Bearer <token>"');
  return token;
}

function missingToken(): AppError {
  return new AppError('missing_token', 'an Authorization header with a bearer token is required');
}

async function identifyByToken(c: Context<AppEnv>, secret: string, token: string): Promise<Identified> {
  if (!TOKEN.test(token)) throw new AppError('invalid_token', 'a token has 8 to 256 visible characters');
  if (crypto.subtle.timingSafeEqual(await sha256(token), await sha256(secret))) {
    return { identity: toSession(await bootstrapToken(secret), 'token', null), credential: token };
  }
  const row = token.startsWith(TOKEN_PREFIX)
    ? await c.var.db
        .select()
        .from(tokens)
        .where(eq(tokens.token_hash, await sha256Hex(token)))
        .get()
    : undefined;
  if (!row) throw new AppError('unknown_token', 'unknown token');
  return { identity: toSession(requireValid(c, row), 'token', null), credential: token };
}

/** By session cookie or Access; null for a request with neither. Access counts when the session is not valid. */
async function identifyPage(c: Context<AppEnv>, secret: string): Promise<Identified | null> {
  try {
    const found = await identifyBySession(c, secret);
    if (found !== null) return found;
  } catch (error) {
    const access = await identifyByAccess(c);
    if (access === null) throw error;
    return access;
  }
  return identifyByAccess(c);
}

async function identifyBySession(c: Context<AppEnv>, secret: string): Promise<Identified | null> {
  const session = readSession(c);
  if (session === null) return null;
  const { token_id, ends_at, nonce, mac, cookie } = session;
  const [row, isEnded] = await Promise.all([knownToken(c, secret, token_id), isSignedOut(c, cookie)]);
  if (row === null || !(await isSignedSession(secret, { token_id, token_hash: row.token_hash, ends_at, nonce }, mac))) {
    throw invalidSession();
  }
  if (isEnded) throw new AppError('expired_token', 'this session was signed out: sign in again');
  if (ends_at <= c.var.now) throw new AppError('expired_token', 'this session has ended: sign in again');
  return { identity: toSession(requireValid(c, row), 'session', ends_at), credential: cookie };
}

async function isSignedOut(c: Context<AppEnv>, cookie: string): Promise<boolean> {
  const row = await c.var.db.get<{ ended: number }>(sql`SELECT ${wasSignedOut(await sha256Hex(cookie))} AS ended`);
  return row.ended === 1;
}

async function identifyByAccess(c: Context<AppEnv>): Promise<Identified | null> {
  const access = await accessIdentity(c);
  if (access === null) return null;
  const { email, role, ends_at, assertion } = access;
  const person = { token_id: `access:${email}`, role, subject: email, controller_id: null };
  return { identity: toSession(person, 'access', ends_at), credential: assertion };
}

async function knownToken(c: Context<AppEnv>, secret: string, tokenId: string): Promise<KnownToken | null> {
  if (tokenId === BOOTSTRAP_ID) return bootstrapToken(secret);
  return (await c.var.db.select().from(tokens).where(eq(tokens.token_id, tokenId)).get()) ?? null;
}

async function bootstrapToken(secret: string): Promise<KnownToken> {
  return {
    token_id: BOOTSTRAP_ID,
    token_hash: await sha256Hex(secret),
    role: 'ops_admin',
    subject: BOOTSTRAP_ID,
    controller_id: null,
    expires_at: null,
    revoked_at: null,
    last_used_at: null,
  };
}

function toSession(
  { token_id, role, subject, controller_id }: Pick<KnownToken, 'token_id' | 'role' | 'subject' | 'controller_id'>,
  via: Session['via'],
  expires_at: number | null,
): Session {
  return { token_id, role, subject, controller_id, via, expires_at };
}

/** The token when it is valid now; records its use. Throws `revoked_token` or `expired_token`. */
function requireValid(c: Context<AppEnv>, row: KnownToken): KnownToken {
  const { db, now } = c.var;
  if (row.revoked_at !== null) throw new AppError('revoked_token', 'this token was revoked');
  if (row.expires_at !== null && row.expires_at <= now) throw new AppError('expired_token', 'this token has expired');
  if (row.token_id !== BOOTSTRAP_ID && (row.last_used_at === null || row.last_used_at < now - LAST_USED_GRAIN_MS)) {
    c.executionCtx.waitUntil(
      Promise.resolve(db.run(sql`UPDATE tokens SET last_used_at = ${now} WHERE token_id = ${row.token_id}`)),
    );
  }
  return row;
}

async function countingFailures<T>(c: Context<AppEnv>, identify: () => Promise<T>): Promise<T> {
  try {
    return await identify();
  } catch (error) {
    if (error instanceof AppError && FAILED_ATTEMPTS.includes(error.code)) await countFailure(c);
    throw error;
  }
}

async function countFailure(c: Context<AppEnv>): Promise<void> {
  const { success } = await c.env.AUTH_FAILURES.limit({ key: c.req.header('cf-connecting-ip') ?? 'unknown' });
  if (success) return;
  throw new AppError('rate_limited', 'too many failed authentications from this address', {
    headers: { 'retry-after': String(FAILURE_PERIOD_SEC) },
    details: { retry_after_ms: FAILURE_PERIOD_SEC * 1_000 },
  });
}

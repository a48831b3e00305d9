/**
 * Who is asking. A bearer token is looked up by its SHA-256; the bootstrap secret is compared by digest, in constant
 * time. Without a bearer token the cookie of a signed-in page counts, then what Cloudflare Access says; a write that
 * comes by one of these must come from a page of ours. There is no way past this: without a configured secret every
 * authenticated route answers `auth_not_configured`. Failures are counted per address and answered `rate_limited` when
 * there are too many; a good token is never locked out by a neighbour's bad ones, since tokens are too long to be
 * guessed at any rate.
 */
import { eq, sql } from 'drizzle-orm';
import type { Context } from 'hono';
import type { Session } from '../../schema/contracts/tokens.ts';
import { BOOTSTRAP_SECRET_MIN_CHARS, PLACEHOLDER_SECRETS, TOKEN_PREFIX } from '../../schema/contracts/tokens.ts';
import type { ErrorCode } from '../../schema/errors.ts';
import { AppError } from '../../schema/errors.ts';
import type { TokenRow } from '../../schema/tables/index.ts';
import { tokens } from '../../schema/tables/index.ts';
import { sha256, sha256Hex } from '../crypto/hash.ts';
import type { AppEnv } from '../env.ts';
import { accessIdentity } from './access.ts';
import { invalidSession, isSignedSession, requireSameOrigin, sessionOf } from './session-cookie.ts';

const BEARER = /^Bearer (.*)$/i;
const TOKEN = /^[\x21-\x7e]{8,256}$/;
const BOOTSTRAP_ID = 'bootstrap';
/** `last_used_at` is kept to the minute: a write per request would cost more than it tells. */
const LAST_USED_GRAIN_MS = 60_000;
/** A request without a token tries nothing, so it is not counted. */
const COUNTED: readonly ErrorCode[] = ['invalid_token', 'unknown_token', 'expired_token', 'revoked_token'];
/** The period of the binding AUTH_FAILURES in wrangler.toml. */
const FAILURE_PERIOD_SEC = 60;
const READING = ['GET', 'HEAD'];

export interface Identified {
  identity: Session;
  /** What proved it. */
  credential: string;
}
/** A token as it is stored, the bootstrap secret included. */
type KnownToken = Pick<
  TokenRow,
  'token_id' | 'token_hash' | 'role' | 'subject' | 'controller_id' | 'expires_at' | 'revoked_at' | 'last_used_at'
>;

/** The identity of the request. Throws AppError 401, 403, 429 or 503 with the documented code. */
export function authenticate(c: Context<AppEnv>): Promise<Identified> {
  return counted(c, async () => {
    const secret = bootstrapSecret(c.env);
    if (c.req.header('authorization') !== undefined) return byToken(c, secret, bearerOf(c));
    const found = await byPage(c, secret);
    if (found === null) throw missingToken();
    if (!READING.includes(c.req.raw.method)) requireSameOrigin(c, 'always');
    return found;
  });
}

/** The identity of somebody who signs in, with a token from the body or the header: a session makes no new session. */
export function authenticateSignIn(c: Context<AppEnv>, given: string | null): Promise<Identified> {
  return counted(c, async () => {
    const secret = bootstrapSecret(c.env);
    requireSameOrigin(c, 'if said');
    return byToken(c, secret, given ?? bearerOf(c));
  });
}

/** The bootstrap secret. Throws `auth_not_configured` while nobody has set one, or one that is too short. */
export function bootstrapSecret(env: Env): string {
  const secret = env.BAA_BOOTSTRAP_TOKEN ?? '';
  const isSet = !PLACEHOLDER_SECRETS.includes(secret.trim());
  if (isSet && secret.length >= BOOTSTRAP_SECRET_MIN_CHARS) return secret;
  throw new AppError(
    'auth_not_configured',
    `${isSet ? 'the secret BAA_BOOTSTRAP_TOKEN is too short' : 'set the secret BAA_BOOTSTRAP_TOKEN'}: ` +
      `at least ${BOOTSTRAP_SECRET_MIN_CHARS} random characters (wrangler secret put BAA_BOOTSTRAP_TOKEN)`,
  );
}

/** What a session or a channel made with that token is bound to. Throws `unknown_token` when it has gone meanwhile. */
export async function tokenLimits(
  c: Context<AppEnv>,
  tokenId: string,
): Promise<Pick<KnownToken, 'token_hash' | 'expires_at'>> {
  const row = await knownToken(c, bootstrapSecret(c.env), tokenId);
  if (row === null) throw new AppError('unknown_token', 'this token is not known');
  return row;
}

function bearerOf(c: Context<AppEnv>): string {
  const header = c.req.header('authorization');
  if (header === undefined) throw missingToken();
  const token = BEARER.exec(header)?.[1];
  if (token === undefined) throw new AppError('invalid_token', 'the Authorization header is not "Bearer <token>"');
  return token;
}

function missingToken(): AppError {
  return new AppError('missing_token', 'an Authorization header with a bearer token is required');
}

async function byToken(c: Context<AppEnv>, secret: string, token: string): Promise<Identified> {
  if (!TOKEN.test(token)) throw new AppError('invalid_token', 'a token has 8 to 256 visible characters');
  if (crypto.subtle.timingSafeEqual(await sha256(token), await sha256(secret))) {
    return { identity: identityOf(await bootstrapToken(secret), 'token', null), credential: token };
  }
  const row = token.startsWith(TOKEN_PREFIX)
    ? await c.var.db
        .select()
        .from(tokens)
        .where(eq(tokens.token_hash, await sha256Hex(token)))
        .get()
    : undefined;
  if (!row) throw new AppError('unknown_token', 'this token is not known');
  return { identity: identityOf(inUse(c, row), 'token', null), credential: token };
}

/** Null for a request that carries neither. A session that is over does not hide who Access says is there. */
async function byPage(c: Context<AppEnv>, secret: string): Promise<Identified | null> {
  try {
    const found = await bySession(c, secret);
    if (found !== null) return found;
  } catch (error) {
    const access = await byAccess(c);
    if (access === null) throw error;
    return access;
  }
  return byAccess(c);
}

async function bySession(c: Context<AppEnv>, secret: string): Promise<Identified | null> {
  const session = sessionOf(c);
  if (session === null) return null;
  const { token_id, ends_at, mac, cookie } = session;
  const row = await knownToken(c, secret, token_id);
  if (row === null || !(await isSignedSession(secret, { token_id, token_hash: row.token_hash, ends_at }, mac))) {
    throw invalidSession();
  }
  if (ends_at <= c.var.now) throw new AppError('expired_token', 'this session has ended: sign in again');
  return { identity: identityOf(inUse(c, row), 'session', ends_at), credential: cookie };
}

async function byAccess(c: Context<AppEnv>): Promise<Identified | null> {
  const access = await accessIdentity(c);
  if (access === null) return null;
  const { email, role, ends_at, assertion } = access;
  const who = { token_id: `access:${email}`, role, subject: email, controller_id: null };
  return { identity: identityOf(who, 'access', ends_at), credential: assertion };
}

async function knownToken(c: Context<AppEnv>, secret: string, tokenId: string): Promise<KnownToken | null> {
  if (tokenId === BOOTSTRAP_ID) return bootstrapToken(secret);
  return (await c.var.db.select().from(tokens).where(eq(tokens.token_id, tokenId)).get()) ?? null;
}

async function bootstrapToken(secret: string): Promise<KnownToken> {
  const endless = { expires_at: null, revoked_at: null, last_used_at: null };
  const who = { token_id: BOOTSTRAP_ID, role: 'ops_admin', subject: BOOTSTRAP_ID, controller_id: null } as const;
  return { ...who, token_hash: await sha256Hex(secret), ...endless };
}

function identityOf(
  { token_id, role, subject, controller_id }: Pick<KnownToken, 'token_id' | 'role' | 'subject' | 'controller_id'>,
  via: Session['via'],
  expires_at: number | null,
): Session {
  return { token_id, role, subject, controller_id, via, expires_at };
}

/** The token, once it is known to be good now; that it was used is noted. */
function inUse(c: Context<AppEnv>, row: KnownToken): KnownToken {
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

async function counted(c: Context<AppEnv>, identify: () => Promise<Identified>): Promise<Identified> {
  try {
    return await identify();
  } catch (error) {
    if (error instanceof AppError && COUNTED.includes(error.code)) await countFailure(c);
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

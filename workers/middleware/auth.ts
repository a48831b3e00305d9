/**
 * Who is asking. A bearer token is looked up by its SHA-256; the bootstrap secret is compared by digest, in constant
 * time. There is no way past this: without a configured secret every authenticated route answers
 * `auth_not_configured`. Failures are counted per address and answered `rate_limited` when there are too many; a good
 * token is never locked out by a neighbour's bad ones, since tokens are too long to be guessed at any rate.
 */
import { eq, sql } from 'drizzle-orm';
import type { Context } from 'hono';
import type { Principal } from '../../schema/contracts/tokens.ts';
import { PLACEHOLDER_SECRETS, TOKEN_PREFIX } from '../../schema/contracts/tokens.ts';
import type { ErrorCode } from '../../schema/errors.ts';
import { AppError } from '../../schema/errors.ts';
import { tokens } from '../../schema/tables/index.ts';
import type { AppEnv } from '../env.ts';
import { sha256, sha256Hex } from '../hash.ts';

const BEARER = /^Bearer ([\x21-\x7e]{8,256})$/i;
/** `last_used_at` is kept to the minute: a write per request would cost more than it tells. */
const LAST_USED_GRAIN_MS = 60_000;
/** A request without a token tries nothing, so it is not counted. */
const COUNTED: readonly ErrorCode[] = ['invalid_token', 'unknown_token', 'expired_token', 'revoked_token'];
/** The period of the binding AUTH_FAILURES in wrangler.toml. */
const FAILURE_PERIOD_SEC = 60;

/** The principal of the request. Throws AppError 401, 429 or 503 with the documented code. */
export async function authenticate(c: Context<AppEnv>): Promise<Principal> {
  try {
    return await identify(c);
  } catch (error) {
    if (error instanceof AppError && COUNTED.includes(error.code)) await countFailure(c);
    throw error;
  }
}

/** The token that the request carries. Throws `missing_token` or `invalid_token`. */
export function bearerOf(c: Context<AppEnv>): string {
  const header = c.req.header('authorization');
  if (header === undefined) {
    throw new AppError('missing_token', 'an Authorization header with a bearer token is required');
  }
  const token = BEARER.exec(header)?.[1];
  if (token === undefined) throw new AppError('invalid_token', 'the Authorization header is not "Bearer <token>"');
  return token;
}

/** The bootstrap secret. Throws `auth_not_configured` while nobody has set one. */
export function bootstrapSecret(env: Env): string {
  const secret = env.BAA_BOOTSTRAP_TOKEN ?? '';
  if (!PLACEHOLDER_SECRETS.includes(secret.trim())) return secret;
  throw new AppError(
    'auth_not_configured',
    'set the secret BAA_BOOTSTRAP_TOKEN (wrangler secret put BAA_BOOTSTRAP_TOKEN)',
  );
}

async function identify(c: Context<AppEnv>): Promise<Principal> {
  const secret = bootstrapSecret(c.env);
  const token = bearerOf(c);
  if (crypto.subtle.timingSafeEqual(await sha256(token), await sha256(secret))) {
    return { token_id: 'bootstrap', role: 'ops_admin', subject: 'bootstrap', controller_id: null };
  }
  if (!token.startsWith(TOKEN_PREFIX)) throw new AppError('unknown_token', 'this token is not known');
  return principalOf(c, token);
}

async function principalOf(c: Context<AppEnv>, token: string): Promise<Principal> {
  const { db, now } = c.var;
  const row = await db
    .select()
    .from(tokens)
    .where(eq(tokens.token_hash, await sha256Hex(token)))
    .get();
  if (!row) throw new AppError('unknown_token', 'this token is not known');
  if (row.revoked_at !== null) throw new AppError('revoked_token', 'this token was revoked');
  if (row.expires_at !== null && row.expires_at <= now) throw new AppError('expired_token', 'this token has expired');
  if (row.last_used_at === null || row.last_used_at < now - LAST_USED_GRAIN_MS) {
    c.executionCtx.waitUntil(
      Promise.resolve(db.run(sql`UPDATE tokens SET last_used_at = ${now} WHERE token_id = ${row.token_id}`)),
    );
  }
  const { token_id, role, subject, controller_id } = row;
  return { token_id, role, subject, controller_id };
}

async function countFailure(c: Context<AppEnv>): Promise<void> {
  const { success } = await c.env.AUTH_FAILURES.limit({ key: c.req.header('cf-connecting-ip') ?? 'unknown' });
  if (success) return;
  throw new AppError('rate_limited', 'too many failed authentications from this address', {
    headers: { 'retry-after': String(FAILURE_PERIOD_SEC) },
    details: { retry_after_ms: FAILURE_PERIOD_SEC * 1_000 },
  });
}

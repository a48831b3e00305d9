/**
 * Links that sign a page in, once and within five minutes, so that no token has to be in an address. D1 keeps the hash of
 * the code only. The link signs in as the token that made it, and not when that token is no longer valid.
 */
import { and, eq, sql } from 'drizzle-orm';
import { SIGN_IN_LINK_MS } from '../../schema/defaults.ts';
import { AppError } from '../../schema/errors.ts';
import { sign_in_links } from '../../schema/tables/index.ts';
import { BASE64URL } from '../crypto/base64url.ts';
import { sha256Hex } from '../crypto/hash.ts';
import { guardThat } from '../db/guards.ts';
import type { Database } from '../db/open.ts';
import type { Edge, Plan } from '../db/plan.ts';

const CODE_BYTES = 32;
export const SIGN_IN_PATH = '/v1/session/link';

/** A new link below `origin`, and the plan that stores it. */
export async function makeLink({ db, now }: Edge, tokenId: string, origin: string) {
  const code = crypto.getRandomValues(new Uint8Array(CODE_BYTES)).toBase64(BASE64URL);
  const expires_at = now + SIGN_IN_LINK_MS;
  const row = { code_hash: await sha256Hex(code), token_id: tokenId, created_at: now, expires_at };
  const plan: Plan = { statements: [db.insert(sign_in_links).values(row)] };
  return { link: { sign_in_url: new URL(`${SIGN_IN_PATH}/${code}`, origin).href, expires_at }, plan };
}

/** The token of an unused link. Throws `invalid_token` for a link that was used, has expired, or never was. */
export async function tokenOfLink(db: Database, code: string, now: number): Promise<string> {
  const row = await db
    .select()
    .from(sign_in_links)
    .where(eq(sign_in_links.code_hash, await sha256Hex(code)))
    .get();
  if (row === undefined || row.used_at !== null || row.expires_at <= now) {
    throw new AppError(
      'invalid_token',
      'this sign-in link was used before or has expired; "conductor open" makes a new one',
    );
  }
  return row.token_id;
}

/** Marks the link as used. Of two requests with one link only one commits. */
export async function useLink({ db, now }: Edge, code: string): Promise<Plan> {
  const isThis = and(eq(sign_in_links.code_hash, await sha256Hex(code)), sql`used_at IS NULL AND expires_at > ${now}`);
  return {
    guards: [guardThat(db, sql`EXISTS (SELECT 1 FROM sign_in_links WHERE ${isThis})`)],
    statements: [db.update(sign_in_links).set({ used_at: now }).where(isThis)],
  };
}

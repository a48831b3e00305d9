/** Whether a caller whose response takes long may still read: its token can be revoked or expire, its session be signed out meanwhile. */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import type { Session } from '../../schema/contracts/tokens.ts';
import { TokenIdSchema } from '../../schema/contracts/tokens.ts';
import { wasSignedOut } from '../db/ended-sessions.ts';

const NAME = 'caller_is_valid';

/** 1 or 0 (SQL expression), for the moment at which it is made. `credentialHash`: of what identified the caller. */
export function stillValid(
  { token_id, expires_at }: Pick<Session, 'token_id' | 'expires_at'>,
  credentialHash: string,
): SQL.Aliased<number> {
  const now = Date.now();
  if (expires_at !== null && expires_at <= now) return sql<number>`0`.as(NAME);
  // The bootstrap secret and a login of Access have no row.
  if (!TokenIdSchema.safeParse(token_id).success) return sql<number>`NOT ${wasSignedOut(credentialHash)}`.as(NAME);
  return sql<number>`NOT ${wasSignedOut(credentialHash)} AND EXISTS (SELECT 1 FROM tokens WHERE token_id = ${token_id} AND revoked_at IS NULL
    AND (expires_at IS NULL OR expires_at > ${now}))`.as(NAME);
}

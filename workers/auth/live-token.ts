/** Whether a caller whose response takes long may still read: its token can be revoked or expire meanwhile. */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import { TokenIdSchema } from '../../schema/contracts/tokens.ts';

/** The token's id as `tokenIsValid` takes it: null for one that D1 does not have, the bootstrap secret or a login of Access. */
export function storedTokenId(tokenId: string): string | null {
  return TokenIdSchema.safeParse(tokenId).success ? tokenId : null;
}

/** 1 or 0 (SQL expression). A token that D1 does not have counts as valid. */
export function tokenIsValid(tokenId: string | null): SQL<number> {
  if (tokenId === null) return sql<number>`1`;
  return sql<number>`EXISTS (SELECT 1 FROM tokens WHERE token_id = ${tokenId} AND revoked_at IS NULL
    AND (expires_at IS NULL OR expires_at > ${Date.now()}))`;
}

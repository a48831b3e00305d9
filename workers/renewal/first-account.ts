/**
 * The account that had a conversation first. A browser that is signed in to another account cannot open the conversation,
 * so its claim to have it open is not believed: nothing is shown to its node, and no renewal goes through it.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';

/**
 * An SQL condition: the link `l` names no account, or the one of the conversation's oldest link that names one; of its
 * oldest active link with `among: 'active'`.
 */
export function isOfFirstAccount(among: 'active' | 'all'): SQL {
  const counts = among === 'active' ? sql`AND first.is_active = 1` : sql``;
  return sql`(l.fingerprint IS NULL OR l.fingerprint = (SELECT first.fingerprint FROM conversation_links AS first
    WHERE first.local_conversation_id = l.local_conversation_id AND first.fingerprint IS NOT NULL ${counts}
    ORDER BY first.created_at, first.link_id LIMIT 1))`;
}

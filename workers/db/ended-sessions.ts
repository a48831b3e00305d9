/** Sessions that were signed out: a copy of the cookie is worth nothing after that. D1 keeps the hash of the cookie only. */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import { ended_sessions } from '../../schema/tables/index.ts';
import type { Database, Statement } from './open.ts';

/** The statement that ends the session of the cookie with that hash. */
export function storeEnd(db: Database, session_hash: string, now: number): Statement {
  return db.insert(ended_sessions).values({ session_hash, ended_at: now }).onConflictDoNothing();
}

/** Whether that session was signed out (SQL expression). `hash`: of the cookie, or of any other credential. */
export function wasSignedOut(hash: string): SQL<number> {
  return sql<number>`EXISTS (SELECT 1 FROM ended_sessions WHERE session_hash = ${hash})`;
}

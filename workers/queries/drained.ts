/** Is anything left that a draining system still finishes? Reads partial indexes only, at most one row of each. */
import { sql } from 'drizzle-orm';
import type { Database } from '../db.ts';

/** False while an instruction is claimed or runs, a delivery is under way, or a job is due at `now`. */
export async function nothingLeft(db: Database, now: number): Promise<boolean> {
  const row = await db.get<{ busy: number }>(sql`SELECT
    EXISTS (SELECT 1 FROM instructions WHERE status IN ('claimed', 'running'))
    OR EXISTS (SELECT 1 FROM renewal_jobs WHERE status = 'running')
    OR EXISTS (SELECT 1 FROM renewal_jobs WHERE status = 'pending' AND next_attempt_at <= ${now}) AS busy`);
  return row.busy === 0;
}

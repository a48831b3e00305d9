/** The cursors with which the ticks walk the stored messages for texts that are old enough (texts-retention.job.ts). */
import { sql } from 'drizzle-orm';
import type { Period } from '../../schema/domain/text-retention.ts';
import type { Database, Statement } from '../db/open.ts';

export const cursorName = (period: Period): string => `texts.retention/${period}`;

/** Has the walk of that period begin again: texts that it has passed may be due since a setting has changed. */
export function walkAgain(db: Database, period: Period): Statement {
  return db.run(sql`UPDATE runner_cursors SET position = 0 WHERE runner = ${cursorName(period)}`);
}

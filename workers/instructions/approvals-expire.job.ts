/** `approvals.expire`: an approval without a decision in time ends as `expired`, and what waits behind it is released. */
import { asc, sql } from 'drizzle-orm';
import { instructions } from '../../schema/tables/index.ts';
import { APPROVAL_DUE_SQL } from '../db/status-sql.ts';
import type { Runner } from '../timed-jobs/job.ts';
import { MORE } from '../timed-jobs/job.ts';
import { closeApproval } from './approve.ts';
import { expireEach } from './expire-each.ts';

const MAX_PER_TICK = 20;
/**
 * People are notified of it, and no look has seen it yet, because no tick ran since the ask. It gets the time that such an
 * approval has.
 */
const isUnnoticed = sql`${instructions.approval} IS NOT NULL AND EXISTS (SELECT 1 FROM notice_settings AS s)
  AND NOT EXISTS (SELECT 1 FROM person_notices AS n WHERE n.cause = 'approval' AND n.part = ''
    AND n.object_id = ${instructions.instruction_id} AND n.ended_at IS NULL)`;

export const approvalsExpire: Runner = {
  name: 'approvals.expire',
  ordinary: false,
  queries: { base: 1, each: 17 },
  async run(context) {
    const { db, now } = context;
    const late = await db
      .select({ instruction_id: instructions.instruction_id })
      .from(instructions)
      .where(sql`${instructions.status} ${APPROVAL_DUE_SQL} AND ${instructions.approval_expires_at} <= ${now}
        AND NOT (${isUnnoticed})`)
      .orderBy(asc(instructions.approval_expires_at))
      .limit(MAX_PER_TICK);
    const ids = late.map((row) => row.instruction_id);
    const done = await expireEach(context, ids, (loaded) => {
      const { approval_expires_at } = loaded.row;
      const isLate = approval_expires_at !== null && approval_expires_at <= now;
      return isLate ? closeApproval(context, loaded, 'expired', { by: 'deadline' }).plan : null;
    });
    if (!done) return MORE;
    return late.length === 0 ? 'idle' : 'ok';
  },
};

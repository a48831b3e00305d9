/**
 * `instructions.expire`: nothing runs without a deadline ahead of it. A claim past its time ends as `interrupted`, and a
 * reply whose outcome was never reported is given up, so that the conversation can be renewed again.
 */
import type { SQL } from 'drizzle-orm';
import { asc, sql } from 'drizzle-orm';
import { isExecutingStatus, isOpenStatus } from '../../schema/domain/instruction-machine.ts';
import { instructions } from '../../schema/tables/index.ts';
import { runBatch } from '../db/open.ts';
import { projectAllAgain } from '../renewal/projection-marks.ts';
import type { Runner, RunnerContext } from '../timed-jobs/job.ts';
import { MORE } from '../timed-jobs/job.ts';
import { expireEach } from './expire-each.ts';
import { finishAndNotify } from './finish.ts';
import type { InstructionRow } from './load.ts';
import { AWAITING_APPROVAL_SQL } from './status-sql.ts';

const MAX_PER_TICK = 50;

export const instructionsExpire: Runner = {
  name: 'instructions.expire',
  ordinary: false,
  async run(context) {
    const { db, now } = context;
    const late = await db
      .select()
      .from(instructions)
      .where(
        sql`${instructions.claim_expires_at} IS NOT NULL AND ${instructions.claim_expires_at} <= ${now}
          AND NOT ${instructions.status} ${AWAITING_APPROVAL_SQL}`,
      )
      .orderBy(asc(instructions.claim_expires_at))
      .limit(MAX_PER_TICK);
    if (late.length === 0) return 'idle';
    await giveUpReplies(
      context,
      late.filter((row) => !isOpenStatus(row.status)),
    );
    const claims = late.filter(({ status }) => isExecutingStatus(status)).map((row) => row.instruction_id);
    const done = await expireEach(context, claims, (loaded) => {
      const { status, claim_expires_at } = loaded.row;
      const isLate = isExecutingStatus(status) && claim_expires_at !== null && claim_expires_at <= now;
      return isLate ? finishAndNotify(context, loaded, 'interrupted', { by: 'deadline' }).plan : null;
    });
    return done && late.length < MAX_PER_TICK ? 'ok' : MORE;
  },
};

async function giveUpReplies({ db, now }: RunnerContext, ended: readonly InstructionRow[]): Promise<void> {
  if (ended.length === 0) return;
  const listed = (ids: readonly string[]): SQL => sql`(SELECT value FROM json_each(${JSON.stringify(ids)}))`;
  const marks = ended.map(({ local_conversation_id }) => ({ local_conversation_id, due_at: now }));
  await runBatch(db, [
    db.run(sql`UPDATE messages SET reply_outcome = 'given_up', replied_at = ${now}
      WHERE message_id IN ${listed(ended.map((row) => row.message_id))} AND reply_outcome IS NULL`),
    db.run(sql`UPDATE instructions SET claim_expires_at = NULL
      WHERE instruction_id IN ${listed(ended.map((row) => row.instruction_id))}`),
    projectAllAgain(db, marks),
  ]);
}

/**
 * `instructions.expire`: nothing runs without a deadline ahead of it. A claim past its time ends as `interrupted`, and a
 * reply whose outcome was never reported is given up, so that the conversation can be renewed again.
 */
import { asc, sql } from 'drizzle-orm';
import { isExecutingStatus } from '../../schema/domain/instruction-machine.ts';
import { instructions, messages } from '../../schema/tables/index.ts';
import { runBatch } from '../db/open.ts';
import { OPEN_SQL } from '../db/status-sql.ts';
import { projectAllAgain } from '../renewal/projection-marks.ts';
import type { Runner, RunnerContext } from '../timed-jobs/job.ts';
import { MORE } from '../timed-jobs/job.ts';
import { expireEach } from './expire-each.ts';
import { finishAndNotify } from './finish.ts';

const MAX_PER_TICK = 50;

export const instructionsExpire: Runner = {
  name: 'instructions.expire',
  ordinary: false,
  queries: { base: 4, each: 17 },
  async run(context) {
    const { db, now } = context;
    const givenUp = await giveUpReplies(context);
    const late = await db
      .select({ instruction_id: instructions.instruction_id })
      .from(instructions)
      // Reads the open instructions: what executes ends within an hour, and an index on its deadline would be one more
      // row written for each instruction.
      .where(sql`${instructions.status} ${OPEN_SQL} AND ${instructions.claim_expires_at} <= ${now}`)
      .orderBy(asc(instructions.claim_expires_at))
      .limit(MAX_PER_TICK);
    const ids = late.map((row) => row.instruction_id);
    const done = await expireEach(context, ids, (loaded) => {
      const { status, claim_expires_at } = loaded.row;
      const isLate = isExecutingStatus(status) && claim_expires_at !== null && claim_expires_at <= now;
      return isLate ? finishAndNotify(context, loaded, 'interrupted', { by: 'deadline' }).plan : null;
    });
    if (!done || givenUp === MAX_PER_TICK || late.length === MAX_PER_TICK) return MORE;
    return givenUp + late.length === 0 ? 'idle' : 'ok';
  },
};

/** Gives up the replies that are overdue, so that their conversations can be renewed again. Returns how many. */
async function giveUpReplies({ db, now }: RunnerContext): Promise<number> {
  const overdue = sql`reply_due_at IS NOT NULL AND reply_due_at <= ${now}`;
  const late = await db
    .select({ message_id: messages.message_id, local_conversation_id: messages.local_conversation_id })
    .from(messages)
    .where(overdue)
    .orderBy(asc(messages.reply_due_at))
    .limit(MAX_PER_TICK);
  if (late.length === 0) return 0;
  const ids = JSON.stringify(late.map((row) => row.message_id));
  const marks = late.map(({ local_conversation_id }) => ({ local_conversation_id, due_at: now }));
  await runBatch(db, [
    db
      .update(messages)
      .set({ reply_outcome: 'given_up', replied_at: now, reply_due_at: null })
      .where(sql`${overdue} AND message_id IN (SELECT value FROM json_each(${ids}))`),
    projectAllAgain(db, marks),
  ]);
  return late.length;
}

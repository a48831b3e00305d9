/**
 * `instructions.expire`: nothing runs without a live deadline. A claim past its time ends as `interrupted`, and a reply
 * that was never reported is given up, so that the conversation can be renewed again.
 */
import { asc, sql } from 'drizzle-orm';
import { isExecutingStatus } from '../../schema/domain/instruction-machine.ts';
import { instructions } from '../../schema/tables/index.ts';
import { commit } from '../db/commit.ts';
import { runBatch } from '../db/open.ts';
import { projectAllAgain } from '../renewal/projection-marks.ts';
import type { Runner, RunnerContext } from '../timed-jobs/job.ts';
import { hasRoom, MORE } from '../timed-jobs/job.ts';
import { endFromOutside, readInstruction } from './finish.ts';

/** D1 statements that ending one costs. */
const QUERIES_EACH = 18;
const MAX_PER_TICK = 50;

export const instructionsExpire: Runner = {
  name: 'instructions.expire',
  ordinary: false,
  async run(context) {
    const givenUp = await giveUpReplies(context);
    const late = await context.db
      .select({ instruction_id: instructions.instruction_id })
      .from(instructions)
      .where(sql`${instructions.claim_expires_at} IS NOT NULL AND ${instructions.claim_expires_at} <= ${context.now}`)
      .orderBy(asc(instructions.claim_expires_at))
      .limit(MAX_PER_TICK);
    for (const [at, { instruction_id }] of late.entries()) {
      // The first needs no room of its own but that of the tick: else one would never be ended.
      if (!hasRoom(context, at === 0 ? 0 : QUERIES_EACH)) return MORE;
      await interrupt(context, instruction_id);
    }
    if (givenUp === MAX_PER_TICK || late.length === MAX_PER_TICK) return MORE;
    return givenUp + late.length === 0 ? 'idle' : 'ok';
  },
};

/** Gives up the replies that are overdue, so that their conversations can be renewed again. Returns how many. */
async function giveUpReplies({ db, now }: RunnerContext): Promise<number> {
  const messages = await db.all<{ local_conversation_id: string }>(sql`UPDATE messages
    SET reply_outcome = coalesce(reply_outcome, 'given_up'), replied_at = coalesce(replied_at, ${now}), reply_due_at = NULL
    WHERE message_id IN (SELECT message_id FROM messages
      WHERE reply_due_at IS NOT NULL AND reply_due_at <= ${now} ORDER BY reply_due_at LIMIT ${MAX_PER_TICK})
    RETURNING local_conversation_id`);
  const marks = messages.map(({ local_conversation_id }) => ({ local_conversation_id, due_at: now }));
  if (marks.length > 0) await runBatch(db, [projectAllAgain(db, marks)]);
  return messages.length;
}

async function interrupt({ env, db, now }: RunnerContext, instructionId: string): Promise<void> {
  const told: Promise<unknown>[] = [];
  await commit({ db, now, by: null, idempotency: null, waitUntil: (work) => void told.push(work) }, async () => {
    const loaded = await readInstruction(db, instructionId);
    const { row } = loaded;
    const due = row.claim_expires_at !== null && row.claim_expires_at <= now;
    if (!due || !isExecutingStatus(row.status)) return { response: null };
    const ending = { to: 'interrupted', controller_id: null, detail: { by: 'deadline' } } as const;
    return { ...endFromOutside(env, db, loaded, ending, now).plan, response: null };
  });
  await Promise.all(told);
}

/**
 * `instructions.expire`: nothing runs without a live deadline. A claim past its time ends as `interrupted`, and a reply
 * that was never reported is given up, so that the conversation can be renewed again.
 */
import type { SQL } from 'drizzle-orm';
import { asc, sql } from 'drizzle-orm';
import { isExecutingStatus, isOpenStatus } from '../../schema/domain/instruction-machine.ts';
import { instructions } from '../../schema/tables/index.ts';
import { commit } from '../db/commit.ts';
import { runBatch } from '../db/open.ts';
import { projectAllAgain } from '../renewal/projection-marks.ts';
import type { Runner, RunnerContext } from '../timed-jobs/job.ts';
import { hasRoom, MORE } from '../timed-jobs/job.ts';
import { endFromOutside, readInstruction } from './finish.ts';
import type { InstructionRow } from './statuses.ts';

/** D1 statements that ending one costs. */
const QUERIES_EACH = 18;
const MAX_PER_TICK = 50;

export const instructionsExpire: Runner = {
  name: 'instructions.expire',
  ordinary: false,
  async run(context) {
    const late = await context.db
      .select()
      .from(instructions)
      .where(
        sql`${instructions.claim_expires_at} IS NOT NULL AND ${instructions.claim_expires_at} <= ${context.now}
          AND ${instructions.status} <> 'awaiting_approval'`,
      )
      .orderBy(asc(instructions.claim_expires_at))
      .limit(MAX_PER_TICK);
    if (late.length === 0) return 'idle';
    await giveUpReplies(
      context,
      late.filter((row) => !isOpenStatus(row.status)),
    );
    for (const [at, row] of late.filter(({ status }) => isExecutingStatus(status)).entries()) {
      // The first needs no room of its own but that of the tick: else one would never be ended.
      if (!hasRoom(context, at === 0 ? 0 : QUERIES_EACH)) return MORE;
      await interrupt(context, row.instruction_id);
    }
    return late.length < MAX_PER_TICK ? 'ok' : MORE;
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

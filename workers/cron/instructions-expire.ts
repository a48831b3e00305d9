/**
 * `instructions.expire`: nothing stays open without a live deadline. A claim past its time ends as `interrupted`, an
 * approval nobody gave as `expired`, and a reply that was never reported is given up, so that the conversation can be
 * renewed again.
 */
import { asc, sql } from 'drizzle-orm';
import { nodeHub } from '../../durable-objects/stubs.ts';
import { isExecuting } from '../../schema/domain/instruction-machine.ts';
import { instructions } from '../../schema/tables/index.ts';
import { commit } from '../commit.ts';
import type { Statement } from '../db.ts';
import { runBatch } from '../db.ts';
import { endInstruction, readInstruction } from '../instruction-end.ts';
import type { InstructionRow } from '../queries/instructions.ts';
import { projectAgain } from '../queries/projection-marks.ts';
import type { Runner, RunnerContext } from './runner.ts';

/** Each one that is ended costs a few queries; the others wait for the next tick. */
const MAX_ENDED_PER_TICK = 5;
const MAX_REPLIES_PER_TICK = 20;

export const instructionsExpire: Runner = {
  name: 'instructions.expire',
  ordinary: false,
  async run(context) {
    const late = await context.db
      .select()
      .from(instructions)
      .where(sql`${instructions.claim_expires_at} IS NOT NULL AND ${instructions.claim_expires_at} <= ${context.now}`)
      .orderBy(asc(instructions.claim_expires_at))
      .limit(MAX_ENDED_PER_TICK + MAX_REPLIES_PER_TICK);
    await giveUpReplies(
      context,
      late.filter((row) => row.finished_at !== null),
    );
    const open = late.filter((row) => row.finished_at === null).slice(0, MAX_ENDED_PER_TICK);
    for (const row of open) await expire(context, row.instruction_id);
    return late.length === 0 ? 'idle' : 'ok';
  },
};

async function giveUpReplies({ db, now }: RunnerContext, ended: readonly InstructionRow[]): Promise<void> {
  const statements = ended.flatMap((row): Statement[] => [
    db.run(sql`UPDATE messages SET reply_outcome = 'given_up', replied_at = ${now}
      WHERE message_id = ${row.message_id} AND reply_outcome IS NULL`),
    db.run(sql`UPDATE instructions SET claim_expires_at = NULL WHERE instruction_id = ${row.instruction_id}`),
    projectAgain(db, row.local_conversation_id, now),
  ]);
  await runBatch(db, statements);
}

async function expire({ env, db, now }: RunnerContext, instructionId: string): Promise<void> {
  const told: Promise<unknown>[] = [];
  await commit({ db, now, by: null, idempotency: null, waitUntil: (work) => void told.push(work) }, async () => {
    const ground = await readInstruction(db, instructionId);
    const { row } = ground;
    const due = row.claim_expires_at !== null && row.claim_expires_at <= now;
    if (!due || row.finished_at !== null) return { statements: [], answer: null };
    const to = isExecuting(row.status) ? 'interrupted' : 'expired';
    const plan = endInstruction(env, db, ground, { to, controller_id: null, detail: { by: 'deadline' } }, now);
    return {
      guards: plan.guards,
      statements: plan.statements,
      events: plan.events,
      answer: null,
      after: async () => {
        await plan.after();
        const ids = ground.rows.map((one) => one.instruction_id);
        await nodeHub(env, row.controller_id).push(row.controller_id, { type: 'changed', topic: 'instructions', ids });
      },
    };
  });
  await Promise.all(told);
}

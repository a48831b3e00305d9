/** `approvals.expire`: an approval that nobody gave in its time ends as `expired`, and what waited behind it goes on. */
import { asc, sql } from 'drizzle-orm';
import { instructions } from '../../schema/tables/index.ts';
import { commit } from '../db/commit.ts';
import type { Runner, RunnerContext } from '../timed-jobs/job.ts';
import { MORE } from '../timed-jobs/job.ts';
import { endApproval } from './approve.ts';
import { readInstruction } from './finish.ts';

const MAX_PER_TICK = 20;

export const approvalsExpire: Runner = {
  name: 'approvals.expire',
  ordinary: false,
  queries: { base: 1, each: 16 },
  async run(context) {
    const late = await context.db
      .select({ instruction_id: instructions.instruction_id })
      .from(instructions)
      // Spelled so that it is found by its deadline: the index holds open claims and approvals only.
      .where(
        sql`${instructions.claim_expires_at} IS NOT NULL AND ${instructions.claim_expires_at} <= ${context.now}
          AND ${instructions.status} = 'awaiting_approval'`,
      )
      .orderBy(asc(instructions.claim_expires_at))
      .limit(MAX_PER_TICK);
    for (const { instruction_id } of late) {
      if (!context.hasRoom()) return MORE;
      await expire(context, instruction_id);
    }
    return late.length === 0 ? 'idle' : 'ok';
  },
};

async function expire({ env, db, now }: RunnerContext, instructionId: string): Promise<void> {
  const told: Promise<unknown>[] = [];
  await commit({ db, now, by: null, idempotency: null, waitUntil: (work) => void told.push(work) }, async () => {
    const loaded = await readInstruction(db, instructionId);
    const { status, claim_expires_at } = loaded.row;
    const due = status === 'awaiting_approval' && claim_expires_at !== null && claim_expires_at <= now;
    if (!due) return { response: null };
    return { ...endApproval(env, db, loaded, { decision: 'expired', by: 'deadline' }, now), response: null };
  });
  await Promise.all(told);
}

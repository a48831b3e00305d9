/** `approvals.expire`: an approval that nobody gave in its time ends as `expired`, and what waited behind it goes on. */
import { asc, sql } from 'drizzle-orm';
import { instructions } from '../../schema/tables/index.ts';
import { commit } from '../db/commit.ts';
import type { Runner, RunnerContext } from '../timed-jobs/job.ts';
import { hasRoom, MORE } from '../timed-jobs/job.ts';
import { endApproval } from './approve.ts';
import { readInstruction } from './finish.ts';

/** D1 statements that ending one costs. */
const QUERIES_EACH = 18;
const MAX_PER_TICK = 20;

export const approvalsExpire: Runner = {
  name: 'approvals.expire',
  ordinary: false,
  async run(context) {
    const late = await context.db
      .select({ instruction_id: instructions.instruction_id })
      .from(instructions)
      // Spelled as the partial index has it.
      .where(
        sql`${instructions.approval_expires_at} IS NOT NULL AND ${instructions.approval_expires_at} <= ${context.now}`,
      )
      .orderBy(asc(instructions.approval_expires_at))
      .limit(MAX_PER_TICK);
    for (const [at, { instruction_id }] of late.entries()) {
      // The first needs no room of its own but that of the tick: else one would never be ended.
      if (!hasRoom(context, at === 0 ? 0 : QUERIES_EACH)) return MORE;
      await expire(context, instruction_id);
    }
    return late.length === 0 ? 'idle' : 'ok';
  },
};

async function expire({ env, db, now }: RunnerContext, instructionId: string): Promise<void> {
  const told: Promise<unknown>[] = [];
  await commit({ db, now, by: null, idempotency: null, waitUntil: (work) => void told.push(work) }, async () => {
    const loaded = await readInstruction(db, instructionId);
    const { approval_expires_at } = loaded.row;
    const due = approval_expires_at !== null && approval_expires_at <= now;
    if (!due) return { response: null };
    return { ...endApproval(env, db, loaded, { decision: 'expired', by: 'deadline' }, now), response: null };
  });
  await Promise.all(told);
}

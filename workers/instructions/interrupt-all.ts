/**
 * What `interrupt` adds to a pause. Instructions that are claimed are canceled, one batch each; those that run get the
 * command to end, and their own result says how they ended. Asked for once the system is paused, so that nothing new
 * is claimed meanwhile. Control instructions go on: they are how a chat resumes.
 */
import { sql } from 'drizzle-orm';
import { instructions } from '../../schema/tables/index.ts';
import type { WriteContext } from '../db/commit.ts';
import { commit } from '../db/commit.ts';
import { cancelInstruction } from './cancel.ts';
import { readInstruction } from './finish.ts';

/** A dozen cancellations stay below the 50 queries that an invocation has on the free plan. */
const MAX_AT_ONCE = 12;

export interface Interrupted {
  /** Canceled, or told to end. */
  canceled: number;
  /** There is more to cancel than one call does. */
  more: boolean;
}

export async function interruptExecuting(
  env: Env,
  { db, now, waitUntil }: Pick<WriteContext, 'db' | 'now' | 'waitUntil'>,
  by: string,
): Promise<Interrupted> {
  const rows = await db
    .select({ instruction_id: instructions.instruction_id })
    .from(instructions)
    // Spelled as the partial index has it: a bound parameter would not use it. What was told to end is not told again.
    .where(sql`${instructions.status} IN ('claimed', 'running') AND ${instructions.cancel_requested_at} IS NULL`)
    .limit(MAX_AT_ONCE + 1);
  const context: WriteContext = { db, now, by: null, idempotency: null, waitUntil };
  let canceled = 0;
  for (const { instruction_id } of rows.slice(0, MAX_AT_ONCE)) {
    if (await commit(context, () => cancelOne(env, context, instruction_id, by))) canceled += 1;
  }
  return { canceled, more: rows.length > MAX_AT_ONCE };
}

async function cancelOne(env: Env, { db, now }: WriteContext, instructionId: string, by: string) {
  const loaded = await readInstruction(db, instructionId);
  const own = loaded.statuses.find((one) => one.instruction_id === instructionId);
  const { status, cancel_requested_at } = loaded.row;
  // Ended meanwhile, by its own result or with an earlier one of its message.
  const over = (status !== 'claimed' && status !== 'running') || cancel_requested_at !== null;
  if (own === undefined || own.control || over) return { response: false };
  return { ...cancelInstruction(env, db, loaded, { by, reason: 'interrupt' }, now), response: true };
}

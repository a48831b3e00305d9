/**
 * What `interrupt` adds to a pause: instructions that are claimed or run are canceled, one batch each, and their nodes
 * told to look again. Asked for once the system is paused, so that nothing new is claimed meanwhile. Control
 * instructions go on: they are how a chat resumes.
 */
import { sql } from 'drizzle-orm';
import { nodeHub } from '../durable-objects/stubs.ts';
import { isExecuting } from '../schema/domain/instruction-machine.ts';
import { instructions } from '../schema/tables/index.ts';
import type { WriteContext } from './commit.ts';
import { commit } from './commit.ts';
import { endInstruction, readInstruction } from './instruction-end.ts';

/** A dozen cancellations stay below the 50 queries that an invocation has on the free plan. */
const MAX_AT_ONCE = 12;

export interface Interrupted {
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
    // Spelled as the partial index has it: a bound parameter would not use it.
    .where(sql`${instructions.status} IN ('claimed', 'running')`)
    .limit(MAX_AT_ONCE + 1);
  const context: WriteContext = { db, now, by: null, idempotency: null, waitUntil };
  let canceled = 0;
  for (const { instruction_id } of rows.slice(0, MAX_AT_ONCE)) {
    if (await commit(context, () => cancelOne(env, context, instruction_id, by))) canceled += 1;
  }
  return { canceled, more: rows.length > MAX_AT_ONCE };
}

async function cancelOne(env: Env, { db, now }: WriteContext, instructionId: string, by: string) {
  const ground = await readInstruction(db, instructionId);
  const own = ground.standing.find((one) => one.instruction_id === instructionId);
  // Ended meanwhile, by its own result or with an earlier one of its message.
  if (own === undefined || own.control || !isExecuting(own.status)) return { statements: [], answer: false };
  const ending = { to: 'canceled', controller_id: null, detail: { by, reason: 'interrupt' } } as const;
  const { settled: _settled, after, ...plan } = endInstruction(env, db, ground, ending, now);
  const { controller_id } = ground.row;
  const ids = ground.rows.map((row) => row.instruction_id);
  return {
    ...plan,
    answer: true,
    after: async () => {
      await after();
      await nodeHub(env, controller_id).push(controller_id, { type: 'changed', topic: 'instructions', ids });
    },
  };
}

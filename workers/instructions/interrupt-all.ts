/**
 * What `interrupt` adds to a pause: instructions that are claimed are canceled, one batch each, and the nodes of those
 * that run get the command to end them. It is called once the system is paused, so that none is claimed meanwhile.
 * Control instructions continue, because a chat resumes the system by one.
 */
import { sql } from 'drizzle-orm';
import { isExecutingStatus } from '../../schema/domain/instruction-machine.ts';
import { instructions } from '../../schema/tables/index.ts';
import type { WriteContext } from '../db/commit.ts';
import { commit } from '../db/commit.ts';
import type { Edge } from '../db/plan.ts';
import { EXECUTING_SQL } from '../db/status-sql.ts';
import { planCancel } from './cancel.ts';
import { loadInstruction } from './load.ts';

/** A dozen cancellations stay below the 50 queries that an invocation has on the free plan. */
const MAX_AT_ONCE = 12;

export interface Interrupted {
  /** Canceled, or commanded to end. */
  canceled: number;
  /** There are more to cancel than one call cancels. */
  more: boolean;
}

export async function interruptExecuting(
  edge: Edge,
  { by, waitUntil }: Pick<WriteContext, 'waitUntil'> & { by: string },
): Promise<Interrupted> {
  const { db, now } = edge;
  const rows = await db
    .select({ instruction_id: instructions.instruction_id })
    .from(instructions)
    // The command to end an instruction is sent once.
    .where(sql`${instructions.status} ${EXECUTING_SQL} AND ${instructions.cancel_requested_at} IS NULL`)
    .limit(MAX_AT_ONCE + 1);
  const context: WriteContext = { db, now, by: null, idempotency: null, waitUntil };
  let canceled = 0;
  for (const { instruction_id } of rows.slice(0, MAX_AT_ONCE)) {
    if (await commit(context, () => cancelOne(edge, instruction_id, by))) canceled += 1;
  }
  return { canceled, more: rows.length > MAX_AT_ONCE };
}

async function cancelOne(edge: Edge, instructionId: string, by: string) {
  const loaded = await loadInstruction(edge, instructionId);
  const own = loaded.statuses.find((one) => one.instruction_id === instructionId);
  const { status, cancel_requested_at } = loaded.row;
  // It may have ended since, by its own result or with an earlier instruction of its message.
  const isOver = !isExecutingStatus(status) || cancel_requested_at !== null;
  if (own === undefined || own.control || isOver) return { response: false };
  return { ...planCancel(edge, loaded, { by, reason: 'interrupt' }).plan, response: true };
}

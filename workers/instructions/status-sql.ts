/**
 * Sets of instruction statuses as SQL, from the lists of the domain. They are written out, not bound: SQLite uses a
 * partial index only for a condition that it can compare with the index's own.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import type { InstructionState } from '../../schema/contracts/instructions.ts';
import { EXECUTING_STATES, OPEN_STATES, WAITING_STATES } from '../../schema/domain/instruction-machine.ts';

/** For `status ${EXECUTING_SQL}`: claimed or running, as the index `instructions_busy` has it. */
export const EXECUTING_SQL = inStates(EXECUTING_STATES);
export const WAITING_SQL = inStates(WAITING_STATES);
export const OPEN_SQL = inStates(OPEN_STATES);
/** For `status ${AWAITING_APPROVAL_SQL}`, as the index `instructions_awaiting` has it. */
export const AWAITING_APPROVAL_SQL = sql.raw(`= '${'awaiting_approval' satisfies InstructionState}'`);

function inStates(states: readonly InstructionState[]): SQL {
  return sql.raw(`IN (${states.map((state) => `'${state}'`).join(', ')})`);
}

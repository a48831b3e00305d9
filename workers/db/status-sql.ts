/**
 * Sets of instruction statuses as SQL, from the lists of the domain. They are written out, not bound: SQLite uses a
 * partial index only for a condition that it can compare with the index's own.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import type { InstructionState } from '../../schema/contracts/instructions.ts';
import { EXECUTING_STATES, OPEN_STATES, WAITING_STATES } from '../../schema/domain/instruction-machine.ts';

/** For `status ${OPEN_SQL}`, as the index `instructions_open` has it. Its first column is `watched`. */
export const OPEN_SQL = inStates(OPEN_STATES);
const IN_INDEX = sql`status ${OPEN_SQL} AND watched IN (0, 1)`;
/** For `status ${OPEN_IN_INDEX_SQL}`: every open one, by that index. */
export const OPEN_IN_INDEX_SQL = sql`${inStates(OPEN_STATES)} AND watched IN (0, 1)`;
/** For `status ${EXECUTING_SQL}`: claimed or running. A condition on fewer statuses repeats that of the index. */
export const EXECUTING_SQL = sql`${inStates(EXECUTING_STATES)} AND ${IN_INDEX}`;
/** For `status ${WAITING_SQL}`: for a person, or behind an earlier instruction. */
export const WAITING_SQL = sql`${inStates(WAITING_STATES)} AND ${IN_INDEX}`;
/** For `status ${BEHIND_SQL}`: behind an earlier instruction of its message. */
export const BEHIND_SQL = inStates(['waiting']);
/** For `${DUE_SQL}`, as the index `instructions_due` has it. */
export const DUE_SQL = sql`watched = 1 AND status ${inStates(EXECUTING_STATES)}`;

/** For `status ${APPROVAL_DUE_SQL}`, as the index `instructions_to_approve` has it. */
export const APPROVAL_DUE_SQL = sql.raw(`= '${'awaiting_approval' satisfies InstructionState}'`);
/** For `status ${INTERRUPTED_SQL}`, as the index `instructions_interrupted` has it: a person has to say what became of it. */
export const INTERRUPTED_SQL = sql.raw(`= '${'interrupted' satisfies InstructionState}'`);

function inStates(states: readonly InstructionState[]): SQL {
  return sql.raw(`IN (${states.map((state) => `'${state}'`).join(', ')})`);
}

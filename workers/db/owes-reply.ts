/**
 * Whether the host of a message still delivers a reply to it, as SQL. A renewal beside that reply would be a second
 * message to the assistant, so projector, dispatcher and the pages about renewal all decide by these two conditions.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import { OPEN_MESSAGE_STATUSES } from '../../schema/domain/message-machine.ts';

/** For `ingest_status ${OPEN_MESSAGE_SQL}`: an instruction of the message is open. */
export const OPEN_MESSAGE_SQL = sql.raw(`IN (${OPEN_MESSAGE_STATUSES.map((status) => `'${status}'`).join(', ')})`);

/** An instruction of it is open, or its reply is due; `alias` is what the query calls its row of `messages`. */
export function owesReply(alias: string): SQL {
  const message = sql.raw(alias);
  return sql`(${message}.reply_due_at IS NOT NULL OR ${message}.ingest_status ${OPEN_MESSAGE_SQL})`;
}

/** It owes a reply, or its reply was delivered and the assistant answers that. The skip reason `instruction_pending`. */
export function instructionPending(alias: string): SQL {
  return sql`(${owesReply(alias)} OR coalesce(${sql.raw(alias)}.reply_outcome = 'delivered', false))`;
}

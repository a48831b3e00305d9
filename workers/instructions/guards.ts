/** Guards of what a decision about a message's instructions depends on (db/guards.ts). */
import { sql } from 'drizzle-orm';
import type { TrackedInstruction } from '../../schema/domain/message-progress.ts';
import { guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import { EXECUTING_SQL } from '../db/status-sql.ts';

/** The instructions of the message must still have the statuses that were read. */
export function guardStatuses(
  db: Database,
  messageId: string,
  read: readonly Pick<TrackedInstruction, 'status'>[],
): Statement {
  const statuses = JSON.stringify(read.map((one) => one.status));
  return guardThat(
    db,
    sql`(SELECT json_group_array(status) FROM
      (SELECT status FROM instructions WHERE message_id = ${messageId} ORDER BY "index")) = ${statuses}`,
  );
}

/** No other message of the conversation may be executing; `message_id` is null for a message that is new. */
export function guardNotBusy(
  db: Database,
  { local_conversation_id, message_id }: { local_conversation_id: string; message_id: string | null },
): Statement {
  return guardThat(
    db,
    sql`NOT EXISTS (SELECT 1 FROM instructions WHERE local_conversation_id = ${local_conversation_id}
      AND status ${EXECUTING_SQL} AND message_id IS NOT ${message_id})`,
  );
}

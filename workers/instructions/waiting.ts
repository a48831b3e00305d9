/** What waits for a person. Each part is found over an index of what waits, and is bounded. */
import { sql } from 'drizzle-orm';
import { ConversationSchema } from '../../schema/contracts/conversations.ts';
import { InstructionSchema } from '../../schema/contracts/instructions.ts';
import type { WaitingForPerson } from '../../schema/contracts/waiting.ts';
import { WAITING_SHOWN } from '../../schema/contracts/waiting.ts';
import { clients, instructions, local_conversations } from '../../schema/tables/index.ts';
import { HAS_STOP } from '../../schema/tables/stopped.ts';
import type { Database } from '../db/open.ts';
import { marked } from '../db/readable.ts';
import { INTERRUPTED_SQL } from '../db/status-sql.ts';
import { brokenSql } from '../notices/look-reads.ts';
import { listTasks } from '../tasks/task-reads.ts';
import { listInstructions } from './instruction-reads.ts';

const page = { limit: WAITING_SHOWN };
const MORE = WAITING_SHOWN + 1;
/** Conversations that a person has paused are passed over, so many at most. */
const PAUSED_LOOKED_AT = 500;

export async function readWaiting(db: Database): Promise<WaitingForPerson> {
  const [approvals, blocked, [interrupted, stoppedRows, paused]] = await Promise.all([
    listInstructions(db, { controller_id: null, status: 'awaiting_approval' }, page),
    listTasks(db, { ...page, status: 'blocked' }),
    db.batch([
      db.select().from(instructions).where(sql`status ${INTERRUPTED_SQL}`).orderBy(sql`finished_at DESC`).limit(MORE),
      db.select().from(clients).where(sql.raw(HAS_STOP)).orderBy(clients.client_id).limit(MORE),
      db
        .select()
        .from(local_conversations)
        .where(
          sql`local_conversation_id IN (SELECT q.local_conversation_id
            FROM (SELECT local_conversation_id, automation_status, pause_reason FROM local_conversations
              WHERE paused_at IS NOT NULL ORDER BY paused_at DESC LIMIT ${PAUSED_LOOKED_AT}) AS q
            WHERE ${brokenSql('q')} LIMIT ${MORE})`,
        )
        .orderBy(sql`paused_at DESC`),
    ]),
  ]);
  const stopped = stoppedRows.flatMap(({ client_id, platforms }) =>
    platforms.flatMap(({ platform, stopped_reason }) =>
      stopped_reason === null ? [] : [{ client_id, platform, stopped_reason }],
    ),
  );
  const parts = [interrupted, stopped, paused];
  return {
    approvals: approvals.items,
    interrupted: interrupted.slice(0, WAITING_SHOWN).map((row) => InstructionSchema.parse(marked(row))),
    blocked: blocked.items,
    stopped: stopped.slice(0, WAITING_SHOWN),
    paused: paused.slice(0, WAITING_SHOWN).map((row) => ConversationSchema.parse(row)),
    is_cut:
      approvals.next_cursor !== null ||
      blocked.next_cursor !== null ||
      parts.some((part) => part.length > WAITING_SHOWN),
  };
}

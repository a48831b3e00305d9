/** What became of the reply to a message, as the node that delivers it reports. */
import { and, eq, sql } from 'drizzle-orm';
import { timedJobs } from '../../durable-objects/stubs.ts';
import type { MessageSummary, ReplyBody } from '../../schema/contracts/instructions.ts';
import { instructions, messages } from '../../schema/tables/index.ts';
import { requireOwn } from '../auth/ownership.ts';
import type { JournalDraft } from '../db/journal.ts';
import type { Edge, Plan, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { OPEN_SQL } from '../db/status-sql.ts';
import { projectAgain } from '../renewal/projection-marks.ts';
import { findSummary } from './message-reads.ts';

/** The plan that stores the outcome. Throws `message_not_found` and `not_owner`. */
export async function recordReply(edge: Edge, messageId: string, body: ReplyBody): Promise<WritePlan<MessageSummary>> {
  const { db, now } = edge;
  const message = await findSummary(db, messageId);
  requireOwn(body.controller_id, message);
  const { outcome: reply_outcome, reason: reply_reason } = body;
  const stored: Plan = {
    statements: [
      db
        .update(messages)
        .set({ reply_outcome, reply_reason, replied_at: now, reply_due_at: null })
        .where(eq(messages.message_id, messageId)),
    ],
    journal: await journalReply(edge, messageId, body),
    events: [{ topic: 'messages', type: `reply_${reply_outcome}`, subject_id: messageId }],
  };
  return {
    ...mergePlans(stored, reply_outcome === 'delivered' ? {} : renewAgain(edge, message)),
    subject_id: messageId,
    response: { ...message, reply_outcome, reply_reason },
  };
}

/** Without a reply the assistant says nothing more by itself, so the message may be renewed. */
function renewAgain({ env, db, now }: Edge, { local_conversation_id }: MessageSummary): Plan {
  return {
    statements: [projectAgain(db, local_conversation_id, now)],
    after: () => timedJobs(env).due(now),
  };
}

/** An entry for each instruction that has ended: the reply says how. */
async function journalReply({ db }: Edge, messageId: string, body: ReplyBody): Promise<JournalDraft[]> {
  const { outcome, reason, attempt, controller_id } = body;
  const ended = await db
    .select({ instruction_id: instructions.instruction_id, chain: instructions.controller_id })
    .from(instructions)
    .where(and(eq(instructions.message_id, messageId), sql`NOT ${instructions.status} ${OPEN_SQL}`));
  const detail = { outcome, reason, attempt };
  return ended.map((one) => ({ ...one, message_id: messageId, kind: 'delivered', controller_id, detail }));
}

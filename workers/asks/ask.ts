/**
 * A person asks something in a conversation. The operation's id is the key: the same question under it is the same ask,
 * another one is a conflict. A conversation has one open ask at a time; it leaves at once when nothing keeps it.
 */
import { sql } from 'drizzle-orm';
import type { Ask, AskBody } from '../../schema/contracts/asks.ts';
import { newAsk } from '../../schema/domain/ask.ts';
import { AppError } from '../../schema/errors.ts';
import type { AskRow } from '../../schema/tables/index.ts';
import { asks } from '../../schema/tables/index.ts';
import { guardNotPaused, guardThat } from '../db/guards.ts';
import type { Edge, Plan, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { reachOf } from '../nodes/presence.ts';
import { sendCommands } from '../nodes/push.ts';
import type { SendFacts } from './ask-reads.ts';
import { findAsk, sendFacts, toAsk } from './ask-reads.ts';
import { trySend } from './send.ts';
import { askEvent, wakeFor } from './store.ts';

/** Throws `conversation_not_found`, `conflict` and `system_paused`. */
export async function askInConversation(
  edge: Edge,
  conversationId: string,
  { operation_id, text, by }: AskBody & { by: string },
): Promise<WritePlan<Ask>> {
  const { env, db, now } = edge;
  const known = await findAsk(db, operation_id);
  if (known !== undefined) return repeat(edge, known, conversationId, text);
  const facts = await sendFacts(db, conversationId);
  if (facts === null) throw new AppError('conversation_not_found', `there is no conversation ${conversationId}`);
  requireFree(facts, conversationId);
  const fresh: AskRow = {
    ...newAsk(now),
    operation_id,
    local_conversation_id: conversationId,
    message_text: text,
    asked_by: by,
    client_id: null,
    command_id: null,
  };
  const { next, commands, guards } = trySend(edge, fresh, facts, await reachOf(env, facts.links));
  const asked: Plan = {
    guards: [guardNotPaused(db), guardUnasked(edge, conversationId), ...guards],
    statements: [
      db.insert(asks).values(next),
      db.run(sql`UPDATE local_conversations SET open_ask = ${operation_id}
        WHERE local_conversation_id = ${conversationId}`),
    ],
    events: [askEvent(next, next)],
    after: () => wakeFor(edge, next),
  };
  return {
    ...mergePlans(asked, sendCommands(edge, commands)),
    subject_id: operation_id,
    response: await toAsk(db, next),
  };
}

async function repeat({ db }: Edge, known: AskRow, conversationId: string, text: string): Promise<WritePlan<Ask>> {
  const { operation_id, local_conversation_id, message_text } = known;
  if (local_conversation_id !== conversationId || message_text !== text) {
    const message = `${operation_id} names another question; use a new operation_id for this one`;
    throw new AppError('conflict', message, { details: { field: 'operation_id', local_conversation_id } });
  }
  return { audited: false, subject_id: operation_id, response: await toAsk(db, known) };
}

function requireFree({ open_ask, automation_status, forget_before, mode }: SendFacts, id: string): void {
  if (mode === 'paused') throw new AppError('system_paused', 'the system is paused; resume it and ask again');
  if (automation_status === 'paused') {
    throw new AppError('conflict', `${id} is paused; resume the conversation and ask again`, {
      details: { automation_status },
    });
  }
  if (open_ask !== null) {
    const message = `another question in ${id} waits for its answer: ${open_ask}; ask again when it has ended`;
    throw new AppError('conflict', message, { details: { open_ask } });
  }
  if (forget_before !== null) {
    throw new AppError('conflict', `${id} is being forgotten; ask again in a minute`, { details: { forget_before } });
  }
}

/** No other ask may have taken the conversation, and the conversation must not have been paused. */
function guardUnasked({ db }: Edge, conversationId: string) {
  return guardThat(
    db,
    sql`EXISTS (SELECT 1 FROM local_conversations WHERE local_conversation_id = ${conversationId}
      AND open_ask IS NULL AND forget_before IS NULL AND automation_status <> 'paused')`,
  );
}

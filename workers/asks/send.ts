/** Hands an ask to the node of the browser that shows its conversation, or says what it waits for. */
import { sql } from 'drizzle-orm';
import { RENEWAL } from '../../schema/defaults.ts';
import { askPlanId, deferAsk, sendAsk } from '../../schema/domain/ask.ts';
import { isDeliverable } from '../../schema/domain/links.ts';
import { newId } from '../../schema/ids.ts';
import type { AskRow } from '../../schema/tables/index.ts';
import { guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Edge } from '../db/plan.ts';
import type { CommandDraft } from '../nodes/commands.ts';
import type { Reach } from '../nodes/presence.ts';
import { chooseLink } from '../renewal/choose-link.ts';
import type { RenewalLink } from '../renewal/link-reads.ts';
import type { SendFacts } from './ask-reads.ts';

export interface Sending {
  next: AskRow;
  /** None when it waits. */
  commands: CommandDraft<'conversation.ask'>[];
  /** What the sending relies upon. */
  guards: Statement[];
}

export function trySend(edge: Edge, ask: AskRow, facts: SendFacts, reach: (nodeId: string) => Reach): Sending {
  const { db, now } = edge;
  const chosen = choose(ask, facts, reach);
  if (typeof chosen === 'string') return { next: deferAsk(ask, chosen, now), commands: [], guards: [] };
  const { controller_id, client_id, target_payload: target } = chosen;
  const sent = sendAsk(ask, controller_id, now);
  const { operation_id, local_conversation_id, message_text } = ask;
  const command: CommandDraft<'conversation.ask'> = {
    command_id: newId('command', now),
    controller_id,
    kind: 'conversation.ask',
    body: {
      operation_id,
      plan_id: askPlanId(operation_id, sent.attempt_count),
      platform: facts.platform,
      target,
      message_text,
      timeout_ms: RENEWAL.delivery_timeout_ms,
    },
    expires_at: sent.due_at ?? now,
  };
  return {
    next: { ...sent, client_id, command_id: command.command_id },
    commands: [command],
    guards: [guardFree(db, local_conversation_id)],
  };
}

/** The link to send by, or what keeps the message from being sent now. */
function choose({ controller_id }: AskRow, facts: SendFacts, reach: (nodeId: string) => Reach): RenewalLink | string {
  if (facts.mode === 'paused') return 'system_paused';
  if (facts.automation_status === 'paused') return 'automation_paused';
  if (facts.owes_reply) return 'instruction_pending';
  if (facts.renewing) return 'renewal_under_way';
  // A node that may have the plan without having said so: another one would send it a second time.
  const links = facts.links.filter((link) => controller_id === null || link.controller_id === controller_id);
  const { link, unusable } = chooseLink(links, reach);
  if (link === null) return 'missing_active_link';
  if (!isDeliverable(link)) return 'route_unavailable';
  return unusable ?? link;
}

function guardFree(db: Database, conversationId: string): Statement {
  return guardThat(
    db,
    sql`EXISTS (SELECT 1 FROM local_conversations AS c, fence AS f
      WHERE c.local_conversation_id = ${conversationId} AND c.automation_status <> 'paused'
        AND f.id = 1 AND f.mode <> 'paused') AND NOT EXISTS (SELECT 1 FROM renewal_jobs
      WHERE local_conversation_id = ${conversationId} AND status = 'running')`,
  );
}

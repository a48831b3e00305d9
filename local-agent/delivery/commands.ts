/**
 * The edge's commands about deliveries: `delivery` queues a renewal, `task.notice` a task's end and `conversation.ask` a
 * person's question in the same way, `delivery.query` asks what became of a plan, `client.resume` resumes a stopped
 * browser. A plan that has ended gets its stored result again. Only a deferred one, of which nothing was sent and whose
 * attempt does not count, is sent after all. An uncertain one is searched for in its conversation when the edge asks:
 * found, it was delivered; absent a minute after its attempt, it was not; else it stays uncertain.
 */
import { DELIVERY } from '../../schema/defaults.ts';
import type { ConversationReader } from '../browsers/conversation-reader.ts';
import type { CommandHandlers, CommandOf, CommandOutcome } from '../edge/commands.ts';
import { reportCommandResult } from '../edge/commands.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import type { Deliveries, DeliveryRow } from './deliveries.ts';
import type { Pacing } from './pacing.ts';
import type { Finding } from './search.ts';
import { resultAfterSearch, searchConversation } from './search.ts';

export type DeliveryCommands = Pick<
  CommandHandlers,
  'delivery' | 'delivery.query' | 'client.resume' | 'task.notice' | 'conversation.ask'
>;

export interface DeliveryCommandsDeps {
  store: Store;
  nodeId: string;
  deliveries: Deliveries;
  pacing: Pick<Pacing, 'resume'>;
  reader: Pick<ConversationReader, 'read'>;
  clock: Clock;
  /** Called when a delivery may be able to leave. */
  wake: () => void;
}

type Planned = Pick<CommandOf<'delivery'>['body'], 'plan_id' | 'platform' | 'target' | 'message_text' | 'timeout_ms'>;
interface AskedDelivery {
  command_id: string;
  body: Planned & { assistant_message_id?: string | null };
}

function queueRenewal(deliveries: Deliveries, { command_id, body }: AskedDelivery, now: number): void {
  const { plan_id, platform, target, message_text, assistant_message_id = null, timeout_ms } = body;
  const { client_id, conversation_id } = target;
  const message = { plan_id, platform, client_id, conversation_id, target, message_text, assistant_message_id };
  const deadline_at = now + DELIVERY.renewal_wait_ms;
  const subject = { kind: 'renewal', subject_kind: 'command', subject_id: command_id } as const;
  deliveries.add({ ...message, timeout_ms, ...subject, deadline_at }, now);
}

function repeatRenewal(deps: DeliveryCommandsDeps, known: DeliveryRow, commandId: string, now: number): void {
  const { store, nodeId, deliveries } = deps;
  const { plan_id, state, attempt, result } = known;
  deliveries.setSubject(plan_id, commandId, now);
  if (state !== 'ended' || result === null) return;
  if (result.outcome === 'deferred') {
    const deadline_at = now + DELIVERY.renewal_wait_ms;
    deliveries.requeue(plan_id, { attempt, next_at: now, deadline_at, result: null }, now);
  } else {
    reportCommandResult(store, nodeId, commandId, result);
  }
}

function queryResult(known: DeliveryRow | null): Record<string, unknown> {
  if (known === null) return { outcome: 'unknown' };
  return known.state === 'ended' && known.result !== null ? known.result : { outcome: 'in_flight' };
}

function isUncertain(known: DeliveryRow | null): known is DeliveryRow {
  return known?.state === 'ended' && known.result?.outcome === 'uncertain';
}

/** Searches after the site has had time to show the message, then reports the result of the query. */
function searchAndReport(deps: DeliveryCommandsDeps, asked: DeliveryRow, commandId: string): void {
  const { store, nodeId, deliveries, clock } = deps;
  const { plan_id } = asked;
  const report = (finding: Finding): void =>
    store.transaction(() => {
      const known = deliveries.find(plan_id);
      const before = isUncertain(known) ? known.result : null;
      const result = before === null ? null : resultAfterSearch(finding, before, clock.now() - asked.updated_at);
      if (result !== null) deliveries.end(plan_id, result.outcome, result, clock.now());
      reportCommandResult(store, nodeId, commandId, result ?? queryResult(known));
    });
  // A clock that was set back makes no wait longer.
  searchConversation(deps, asked, Math.min(asked.updated_at, clock.now()) + DELIVERY.search_delay_ms, report);
}

export function deliveryCommands(deps: DeliveryCommandsDeps): DeliveryCommands {
  const { store, nodeId, deliveries, pacing, clock, wake } = deps;
  const deliver = (asked: AskedDelivery): CommandOutcome => {
    const known = deliveries.find(asked.body.plan_id);
    if (known === null) queueRenewal(deliveries, asked, clock.now());
    else repeatRenewal(deps, known, asked.command_id, clock.now());
    return { accepted: true, afterCommit: wake };
  };
  return {
    delivery: deliver,
    'task.notice': deliver,
    'conversation.ask': deliver,
    'delivery.query'({ command_id, body }) {
      const known = deliveries.find(body.plan_id);
      if (isUncertain(known)) return { accepted: true, afterCommit: () => searchAndReport(deps, known, command_id) };
      reportCommandResult(store, nodeId, command_id, queryResult(known));
      return { accepted: true };
    },
    'client.resume'({ command_id, body }) {
      const resumed = pacing.resume(body.client_id, body.platform);
      reportCommandResult(store, nodeId, command_id, { resumed });
      return { accepted: true, afterCommit: wake };
    },
  };
}

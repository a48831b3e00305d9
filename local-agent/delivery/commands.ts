/**
 * The edge's commands for deliveries: `delivery` queues a renewal, `delivery.query` says what became of a plan,
 * `client.resume` lets a stopped browser go on. A plan that was answered is answered again from the table; only one that
 * was deferred, of which nothing was sent and whose attempt was given back, may be tried again. One that may have been
 * sent is looked for in its conversation when the edge asks: what is found was delivered, what is not there was not.
 */
import type { Platform } from '../../schema/contracts/common.ts';
import { DELIVERY } from '../../schema/defaults.ts';
import type { CommandHandlers, CommandOf } from '../edge/commands.ts';
import { reportCommandResult } from '../edge/commands.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import type { Deliveries, DeliveryRow } from './deliveries.ts';
import type { ConversationReader } from './reader.ts';
import type { Finding } from './search.ts';
import { lookFor, readTargetOf, resultOf } from './search.ts';

export type DeliveryCommands = Pick<CommandHandlers, 'delivery' | 'delivery.query' | 'client.resume'>;

export interface DeliveryCommandsDeps {
  store: Store;
  nodeId: string;
  deliveries: Deliveries;
  reader: ConversationReader;
  clock: Clock;
  /** There may be something to send. */
  wake: () => void;
  /** Lets a browser go on, on one platform or all; the platforms that had been stopped. */
  resume: (clientId: string, platform: Platform | null) => Platform[];
}

function queue(deliveries: Deliveries, { command_id, body }: CommandOf<'delivery'>, now: number): void {
  deliveries.add({
    plan_id: body.plan_id,
    kind: 'renewal',
    subject_id: command_id,
    platform: body.platform,
    client_id: body.target.client_id,
    conversation_id: body.target.conversation_id,
    target: body.target,
    message_text: body.message_text,
    assistant_message_id: body.assistant_message_id,
    timeout_ms: body.timeout_ms,
    created_at: now,
    next_at: now,
    deadline_at: now + DELIVERY.renewal_wait_ms,
  });
}

function repeat(deps: DeliveryCommandsDeps, known: DeliveryRow, commandId: string, now: number): void {
  const { store, nodeId, deliveries } = deps;
  deliveries.setSubject(known.plan_id, commandId, now);
  if (known.state !== 'ended' || known.result === null) return;
  if (known.result.outcome === 'deferred') {
    const deadlineAt = now + DELIVERY.renewal_wait_ms;
    deliveries.requeue(known.plan_id, { attempt: known.attempt, nextAt: now, deadlineAt, result: null }, now);
  } else {
    reportCommandResult(store, nodeId, commandId, known.result);
  }
}

function whatBecameOf(known: DeliveryRow | null): Record<string, unknown> {
  if (known === null) return { outcome: 'unknown' };
  return known.state === 'ended' && known.result !== null ? known.result : { outcome: 'in_flight' };
}

function isUncertain(known: DeliveryRow | null): known is DeliveryRow {
  return known?.state === 'ended' && known.result?.outcome === 'uncertain';
}

/** Searches once the site has had a moment to show it, then answers the question. */
function searchAndReport(deps: DeliveryCommandsDeps, asked: DeliveryRow, commandId: string): void {
  const { store, nodeId, deliveries, reader, clock } = deps;
  const settle = (finding: Finding): void =>
    store.transaction(() => {
      const known = deliveries.find(asked.plan_id);
      const result = isUncertain(known) ? resultOf(finding, known.result) : null;
      if (result !== null) deliveries.end(asked.plan_id, result.outcome, result, clock.now());
      reportCommandResult(store, nodeId, commandId, result ?? whatBecameOf(known));
    });
  const waitMs = Math.max(0, asked.updated_at + DELIVERY.search_settle_ms - clock.now());
  clock.after(waitMs, () => void reader.read(readTargetOf(asked)).then((reading) => settle(lookFor(asked, reading))));
}

export function deliveryCommands(deps: DeliveryCommandsDeps): DeliveryCommands {
  const { store, nodeId, deliveries, clock, wake, resume } = deps;
  return {
    delivery(command) {
      const known = deliveries.find(command.body.plan_id);
      if (known === null) queue(deliveries, command, clock.now());
      else repeat(deps, known, command.command_id, clock.now());
      return { accepted: true, afterCommit: wake };
    },
    'delivery.query'(command) {
      const known = deliveries.find(command.body.plan_id);
      if (isUncertain(known)) {
        return { accepted: true, afterCommit: () => searchAndReport(deps, known, command.command_id) };
      }
      reportCommandResult(store, nodeId, command.command_id, whatBecameOf(known));
      return { accepted: true };
    },
    'client.resume'({ command_id, body }) {
      const resumed = resume(body.client_id, body.platform);
      reportCommandResult(store, nodeId, command_id, { resumed });
      return { accepted: true, afterCommit: wake };
    },
  };
}

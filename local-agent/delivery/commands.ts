/**
 * The edge's commands for deliveries: `delivery` queues a renewal, `delivery.query` says what became of a plan. A plan
 * that was answered is answered again from the table; only one that was deferred, of which nothing was sent and whose
 * attempt was given back, may be tried again.
 */
import { DELIVERY } from '../../schema/defaults.ts';
import type { CommandHandlers, CommandOf } from '../edge/commands.ts';
import { reportCommandResult } from '../edge/commands.ts';
import type { Store } from '../store/store.ts';
import type { Deliveries, DeliveryRow } from './deliveries.ts';

export interface DeliveryCommandsDeps {
  store: Store;
  controllerId: string;
  deliveries: Deliveries;
  now: () => number;
  /** There may be something to send. */
  wake: () => void;
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
  const { store, controllerId, deliveries } = deps;
  deliveries.setSubject(known.plan_id, commandId, now);
  if (known.state !== 'ended' || known.result === null) return;
  if (known.result.outcome === 'deferred') {
    const deadlineAt = now + DELIVERY.renewal_wait_ms;
    deliveries.requeue(known.plan_id, { attempt: known.attempt, nextAt: now, deadlineAt, result: null }, now);
  } else {
    reportCommandResult(store, controllerId, commandId, known.result);
  }
}

function whatBecameOf(known: DeliveryRow | null): Record<string, unknown> {
  if (known === null) return { outcome: 'unknown' };
  return known.state === 'ended' && known.result !== null ? known.result : { outcome: 'in_flight' };
}

export function deliveryCommands(deps: DeliveryCommandsDeps): Pick<CommandHandlers, 'delivery' | 'delivery.query'> {
  const { store, controllerId, deliveries, now, wake } = deps;
  return {
    delivery(command) {
      const known = deliveries.find(command.body.plan_id);
      if (known === null) queue(deliveries, command, now());
      else repeat(deps, known, command.command_id, now());
      return { accepted: true, afterCommit: wake };
    },
    'delivery.query'(command) {
      const result = whatBecameOf(deliveries.find(command.body.plan_id));
      reportCommandResult(store, controllerId, command.command_id, result);
      return { accepted: true };
    },
  };
}

/** Stores the end of a delivery together with its report, or puts a reply back in its queue. */
import type { Logger } from 'pino';
import type { DeliveryResult } from '../../schema/contracts/renewal.ts';
import { reportCommandResult } from '../edge/commands.ts';
import type { Store } from '../store/store.ts';
import type { Deliveries, DeliveryRow } from './deliveries.ts';
import type { AttemptEnd } from './outcome.ts';
import { afterReplyAttempt, knownOfReply, reportReply } from './replies.ts';
import { wirePlanId } from './wire.ts';

type PromptRow = Extract<DeliveryRow, { kind: 'prompt' }>;
export type PromptEnd = Pick<PromptRow, 'subject_kind' | 'subject_id'> & { result: DeliveryResult };

export interface FinishDeps {
  store: Store;
  nodeId: string;
  deliveries: Deliveries;
  log: Pick<Logger, 'info'>;
  /** Called when a prompt has ended, inside the transaction that stores its end. */
  onPromptEnd(end: PromptEnd): void;
}

/**
 * Inside the caller's transaction. `chance` in [0, 1). False when nothing is stored yet: the conversation has to be
 * searched first.
 */
export function finishDelivery(
  deps: FinishDeps,
  row: DeliveryRow,
  end: AttemptEnd,
  now: number,
  chance: number,
): boolean {
  const { store, nodeId, deliveries, log } = deps;
  const { result } = end;
  const { plan_id, subject_id } = row;
  log.info({ plan_id: wirePlanId(row), kind: row.kind, ...result }, 'delivery ended');
  switch (row.kind) {
    case 'prompt':
      deliveries.end(plan_id, result.outcome, result, now);
      deps.onPromptEnd({ subject_kind: row.subject_kind, subject_id, result });
      return true;
    case 'renewal':
      deliveries.end(plan_id, result.outcome, result, now);
      // A newer command for the same plan may have arrived meanwhile: it gets the result.
      reportCommandResult(store, nodeId, deliveries.find(plan_id)?.subject_id ?? subject_id, result);
      return true;
    case 'reply':
      return finishReply(deps, row, end, now, chance);
    default:
      return row satisfies never;
  }
}

function finishReply(deps: FinishDeps, row: DeliveryRow, end: AttemptEnd, now: number, chance: number): boolean {
  const { store, nodeId, deliveries } = deps;
  const known = knownOfReply(row, end);
  const { result } = known;
  const after = afterReplyAttempt(row, known, now, chance);
  if (after.type === 'search') return false;
  if (after.type === 'again') {
    deliveries.requeue(row.plan_id, { ...after, result }, now);
    return true;
  }
  deliveries.end(row.plan_id, after.outcome, result, now);
  deliveries.finishMessage(row.subject_id);
  reportReply(store, nodeId, row, after.outcome, result.reason);
  return true;
}

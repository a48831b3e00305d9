/** Stores what became of a delivery together with what the edge is told of it, or puts a reply back in its queue. */
import type { Logger } from 'pino';
import { reportCommandResult } from '../edge/commands.ts';
import type { Store } from '../store/store.ts';
import type { Deliveries, DeliveryRow } from './deliveries.ts';
import type { Ended } from './outcome.ts';
import type { PromptEnd } from './prompts.ts';
import { isPromptPlan } from './prompts.ts';
import { afterReply, reportReply } from './replies.ts';
import { wirePlanId } from './wire.ts';

export interface SettleDeps {
  store: Store;
  nodeId: string;
  deliveries: Deliveries;
  log: Pick<Logger, 'info'>;
  /** Hears of a prompt's end, in the transaction that stores it. */
  promptEnded(end: PromptEnd): void;
}

/** Call it in a transaction. `chance` in [0, 1). */
export function settle(deps: SettleDeps, row: DeliveryRow, ended: Ended, now: number, chance: number): void {
  const { store, nodeId, deliveries, log } = deps;
  const { result } = ended;
  log.info({ plan_id: wirePlanId(row), kind: row.kind, ...result }, 'delivery ended');
  if (isPromptPlan(row.plan_id)) {
    deliveries.end(row.plan_id, result.outcome, result, now);
    deps.promptEnded({ subject_id: row.subject_id, result });
    return;
  }
  if (row.kind === 'renewal') {
    deliveries.end(row.plan_id, result.outcome, result, now);
    // A command that came meanwhile for the same plan is the one that is answered.
    reportCommandResult(store, nodeId, deliveries.find(row.plan_id)?.subject_id ?? row.subject_id, result);
    return;
  }
  const after = afterReply(row, ended, now, chance);
  if (after.type === 'again') {
    deliveries.requeue(row.plan_id, { ...after, result }, now);
    return;
  }
  deliveries.end(row.plan_id, after.outcome, result, now);
  deliveries.messageReplied(row.subject_id);
  reportReply(store, nodeId, row, after.outcome, result.reason);
}

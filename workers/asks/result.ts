/**
 * The node's report of the delivery of an ask; it counts only for the attempt under way. When the plan was handed to the
 * node again meanwhile, a deferral of the earlier command says nothing: the later one sends the same plan, and another
 * plan beside it would send the question twice.
 */
import type { z } from 'zod';
import type { COMMAND_BODIES } from '../../schema/contracts/commands.ts';
import type { DeliveryResult } from '../../schema/contracts/renewal.ts';
import { askPlanId, endAskDelivery } from '../../schema/domain/ask.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { findAsk } from './ask-reads.ts';
import { storeAsk } from './store.ts';

/** What the command that reports had asked. */
type Reported = Pick<z.output<(typeof COMMAND_BODIES)['conversation.ask']>, 'operation_id' | 'plan_id'> & {
  command_id: string;
};

export async function applyAskResult(
  edge: Edge,
  { operation_id, plan_id, command_id }: Reported,
  result: DeliveryResult,
): Promise<Plan> {
  const ask = await findAsk(edge.db, operation_id);
  if (ask === undefined || askPlanId(operation_id, ask.attempt_count) !== plan_id) return {};
  if (result.outcome === 'deferred' && ask.command_id !== command_id) return {};
  return storeAsk(edge, ask, endAskDelivery(ask, result, edge.now));
}

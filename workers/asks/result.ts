/** The node's report of the delivery of an ask; it counts only for the attempt under way. */
import type { z } from 'zod';
import type { COMMAND_BODIES } from '../../schema/contracts/commands.ts';
import type { DeliveryResult } from '../../schema/contracts/renewal.ts';
import { askPlanId, endAskDelivery } from '../../schema/domain/ask.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { findAsk } from './ask-reads.ts';
import { storeAsk } from './store.ts';

export async function applyAskResult(
  edge: Edge,
  { operation_id, plan_id }: Pick<z.output<(typeof COMMAND_BODIES)['conversation.ask']>, 'operation_id' | 'plan_id'>,
  result: DeliveryResult,
): Promise<Plan> {
  const ask = await findAsk(edge.db, operation_id);
  if (ask === undefined || askPlanId(operation_id, ask.attempt_count) !== plan_id) return {};
  return storeAsk(edge, ask, endAskDelivery(ask, result, edge.now));
}

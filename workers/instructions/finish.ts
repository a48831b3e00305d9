/** Ends an instruction for a reason other than its node's report: a person canceled or denied it, or its time ran out. */
import type { InstructionState } from '../../schema/contracts/instructions.ts';
import type { EventDetail } from '../../schema/contracts/journal.ts';
import type { TransitionResult } from '../../schema/domain/message-progress.ts';
import { applyTransition } from '../../schema/domain/message-progress.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { pushChanged } from '../nodes/push.ts';
import type { LoadedInstruction } from './load.ts';
import { idsOf, transitionContext } from './load.ts';
import { storeProgress } from './store-progress.ts';

export interface FinishedInstruction {
  plan: Plan;
  /** The message after it. */
  result: TransitionResult;
}

/** `detail` is for the journal. The state must be one that the transition table allows: callers check first. */
export function finishInstruction(
  edge: Edge,
  loaded: LoadedInstruction,
  to: InstructionState,
  detail: EventDetail,
): FinishedInstruction {
  const { instruction_id } = loaded.row;
  const result = applyTransition(loaded.statuses, instruction_id, to, transitionContext(edge, loaded));
  const { statuses } = result;
  const progress = { ...result, steps: [{ item: { instruction_id }, type: 'ended' as const, statuses }] };
  const stored = storeProgress(edge, loaded, progress, { changedBy: () => ({ controller_id: null, detail }) });
  const events: Plan = {
    events: [{ topic: 'instructions', type: 'ended', subject_id: instruction_id, data: { status: to } }],
  };
  return { plan: mergePlans(stored, events), result };
}

/** The same, and the node that holds the instruction is notified. */
export function finishAndNotify(
  edge: Edge,
  loaded: LoadedInstruction,
  to: InstructionState,
  detail: EventDetail,
): FinishedInstruction {
  const finished = finishInstruction(edge, loaded, to, detail);
  return { ...finished, plan: mergePlans(finished.plan, notifyOwner(edge, loaded)) };
}

/** Notifies the node that holds these instructions that they have changed. */
export function notifyOwner({ env }: Edge, loaded: LoadedInstruction): Plan {
  return { after: () => pushChanged(env, loaded.row.controller_id, 'instructions', idsOf(loaded)) };
}

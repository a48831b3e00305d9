/**
 * What a node's report changes in a message. A report may hold several starts and results. All starts are applied
 * first, then the results in message order, so a pause blocks only instructions that have not started. The outcome is
 * that of the same starts and results reported one at a time in this order.
 */
import type { ReportedResult } from '../contracts/instructions.ts';
import { isExecutingStatus } from './instruction-machine.ts';
import type { TrackedInstruction, TransitionContext, TransitionResult } from './message-progress.ts';
import { applyTransition, startInstruction } from './message-progress.ts';

/** What is reported of one instruction. Each instruction has at most one item. */
export interface ProgressItem {
  instruction_id: string;
  started: boolean;
  /** How it ended; null when it has not. */
  result: ReportedResult['status'] | null;
}

/** One reported start or result, and every instruction of the message as that left it. */
export interface ProgressStep {
  instruction_id: string;
  /** `late_result`: the instruction had ended before, or may not run, so its result changes no status. */
  type: 'started' | 'ended' | 'late_result';
  statuses: TrackedInstruction[];
}

export interface Progress extends TransitionResult {
  /** In the order in which they were applied. A repeated start is no step. */
  steps: ProgressStep[];
}

/** Items of instructions that are not in `all` are ignored: callers check that first. */
export function applyProgress(
  all: readonly TrackedInstruction[],
  items: readonly ProgressItem[],
  context: TransitionContext,
): Progress {
  const reported = new Map(items.map((item) => [item.instruction_id, item]));
  const inOrder = all.flatMap(({ instruction_id }) => reported.get(instruction_id) ?? []);
  const steps: ProgressStep[] = [];
  let current: TransitionResult = { statuses: [...all], message: null, counts_as: null };
  const statusOf = (id: string) => current.statuses.find((one) => one.instruction_id === id)?.status;
  for (const { instruction_id, started } of inOrder) {
    if (!started || statusOf(instruction_id) !== 'claimed') continue;
    current = { ...current, statuses: startInstruction(current.statuses, instruction_id, context.now) };
    steps.push({ instruction_id, type: 'started', statuses: current.statuses });
  }
  for (const { instruction_id, result } of inOrder) {
    if (result === null) continue;
    const status = statusOf(instruction_id);
    const ends = status !== undefined && isExecutingStatus(status);
    if (ends) current = applyTransition(current.statuses, instruction_id, result, context);
    steps.push({ instruction_id, type: ends ? 'ended' : 'late_result', statuses: current.statuses });
  }
  return { ...current, steps };
}

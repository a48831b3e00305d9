/**
 * What a node's report changes in a message. A report may hold several starts, live output, results, and what a person is
 * asked. All starts are applied first, then live output, then the results in message order, so a pause blocks only
 * instructions that have not started; then what is asked, as the results may have made it the turn of one that asks. The
 * outcome is that of the same parts reported one at a time in this order. A node sends an
 * empty report when it has seen a pause and holds claimed instructions: the pause then blocks them at once.
 */
import type { ReportedResult } from '../contracts/instructions.ts';
import { isExecutingStatus } from './instruction-machine.ts';
import type { TrackedInstruction, TransitionContext, TransitionResult } from './message-progress.ts';
import { applyMode, applyTransition, isBlockedByPause, showApproval, startInstruction } from './message-progress.ts';

/** What is reported of one instruction; null for what is not. */
export interface ProgressItem {
  instruction_id: string;
  /** Unix milliseconds. */
  started_at: number | null;
  /** Live output that continues what the edge has. */
  chunk: object | null;
  result: Pick<ReportedResult, 'status'> | null;
  /** What a person is asked. Only of an instruction for which nothing is stored yet. */
  approval: object | null;
}

/** One applied part of a report, and every instruction of the message as that left it. */
export type ProgressStep<I extends { instruction_id: string }> = { statuses: TrackedInstruction[] } & (
  | {
      item: I;
      /** `late_result`: the instruction had ended before, or may not run, so its result changes no status. */
      type: 'started' | 'output' | 'ended' | 'late_result' | 'asked';
    }
  /** An empty report while the system is paused. */
  | { item: null; type: 'blocked' }
);

export interface Progress<I extends { instruction_id: string }> extends TransitionResult {
  /** In the order in which they were applied. A repeated start is no step, nor is a question when it is not its turn. */
  steps: ProgressStep<I>[];
}

/** Takes at most one item for each instruction. Items of instructions that are not in `all` are ignored. */
export function applyProgress<I extends ProgressItem>(
  all: readonly TrackedInstruction[],
  items: readonly I[],
  context: TransitionContext,
): Progress<I> {
  if (items.length === 0 && context.mode === 'paused' && all.some(isBlockedByPause)) {
    const blocked = applyMode(all, context);
    return { ...blocked, steps: [{ item: null, type: 'blocked', statuses: blocked.statuses }] };
  }
  const reported = new Map(items.map((item) => [item.instruction_id, item]));
  const inOrder = all.flatMap(({ instruction_id }) => reported.get(instruction_id) ?? []);
  const steps: ProgressStep<I>[] = [];
  let current: TransitionResult = { statuses: [...all], message: null, reply_due_at: null, counts_as: null };
  const statusOf = (id: string) => current.statuses.find((one) => one.instruction_id === id)?.status;
  const addStep = (item: I, type: Exclude<ProgressStep<I>['type'], 'blocked'>) =>
    steps.push({ item, type, statuses: current.statuses });
  for (const item of inOrder) {
    if (item.started_at === null || statusOf(item.instruction_id) !== 'claimed') continue;
    current = { ...current, statuses: startInstruction(current.statuses, item.instruction_id, context.now) };
    addStep(item, 'started');
  }
  for (const item of inOrder) {
    if (item.chunk !== null) addStep(item, 'output');
  }
  for (const item of inOrder) {
    if (item.result === null) continue;
    const status = statusOf(item.instruction_id);
    const ends = status !== undefined && isExecutingStatus(status);
    if (ends) current = applyTransition(current.statuses, item.instruction_id, item.result.status, context);
    addStep(item, ends ? 'ended' : 'late_result');
  }
  for (const item of inOrder) {
    if (item.approval === null || statusOf(item.instruction_id) !== 'awaiting_approval') continue;
    current = { ...current, statuses: showApproval(current.statuses, item.instruction_id, context.now) };
    addStep(item, 'asked');
  }
  return { ...current, steps };
}

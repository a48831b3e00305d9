/**
 * What happens to a task, its step and the step's run together: a run ends, a person resolves a blocked step, cancels the
 * task, or retries it. Each decision returns the next state of all of them, and what becomes of the task's other steps.
 */
import type { RunFailBody, RunStatus } from '../contracts/runs.ts';
import { HANDED_OVER, SYSTEM_PAUSED } from '../contracts/runs.ts';
import type { Readiness, StepStatus, TaskStatus } from '../contracts/tasks.ts';
import { moveRun } from './run-machine.ts';
import { moveStep } from './step-machine.ts';
import { isEndedTask, moveTask } from './task-machine.ts';

/** The columns of a task that these decisions change. */
export interface TaskState {
  status: TaskStatus;
  current_step_index: number;
  result_summary: string | null;
  error_code: string | null;
  error_text: string | null;
  cancel_requested_at: number | null;
  finished_at: number | null;
}

export interface StepState {
  step_index: number;
  status: StepStatus;
  attempt: number;
  max_attempts: number;
  /** Whether a node may claim it. */
  ready: Readiness | null;
  summary: string | null;
  error_code: string | null;
  error_text: string | null;
  finished_at: number | null;
}

/** How a run ended. */
export interface RunEnd {
  status: Exclude<RunStatus, 'prepared' | 'running'>;
  summary: string | null;
  error_code: string | null;
  error_text: string | null;
  /** Another attempt would fail alike. */
  final: boolean;
}

export interface Progressed {
  task: TaskState;
  step: StepState;
  /** What becomes of the steps that have not begun: `cancel` when the task has ended without success. */
  rest: 'keep' | 'cancel';
  /** The next step that a node may claim, besides `step` itself. */
  next_ready: number | null;
}

/** Of a task with that many steps. `now` in Unix milliseconds. */
export interface Whole {
  step_count: number;
  now: number;
}

/** A run that succeeded. */
export function succeeded(summary: string | null): RunEnd {
  return { status: 'succeeded', summary, error_code: null, error_text: null, final: false };
}

export function failedAs(
  body: Pick<RunFailBody, 'status' | 'summary' | 'error_code' | 'error_text' | 'final'>,
): RunEnd {
  const { status, summary = null, error_code, error_text = null, final = false } = body;
  return { status, summary, error_code, error_text, final };
}

/** The run of the task's current step has ended. Throws for a move that a table forbids. */
export function endRun(
  { task, step, run }: { task: TaskState; step: StepState; run: RunStatus },
  end: RunEnd,
  whole: Whole,
): Progressed & { run: RunStatus } {
  return { ...progress({ task, step }, end, whole), run: moveRun(run, end.status) };
}

type Pair = { task: TaskState; step: StepState };

function progress(pair: Pair, end: RunEnd, whole: Whole): Progressed {
  const isCanceled = pair.task.cancel_requested_at !== null;
  if (end.status === 'succeeded') return finishStep(pair, end.summary, whole);
  if (isCanceled || (end.status === 'canceled' && end.error_code !== SYSTEM_PAUSED))
    return cancelStep(pair, end, whole);
  switch (end.status) {
    case 'blocked':
      return blockStep(pair, end);
    case 'canceled':
      // A pause came before the start: nothing was tried.
      return tryAgain(pair, end, { counts: false });
    case 'failed':
    case 'timeout':
    case 'lost': {
      if (end.status === 'lost' && end.error_code === HANDED_OVER) return tryAgain(pair, end, { counts: false });
      const hasAttempts = pair.step.attempt < pair.step.max_attempts && !end.final;
      return hasAttempts ? tryAgain(pair, end, { counts: true }) : failStep(pair, end, whole);
    }
    default:
      return end.status satisfies never;
  }
}

/** The step is done: the next one may be claimed, or the task is done. A canceled task ends here. */
function finishStep({ task, step }: Pair, summary: string | null, { step_count, now }: Whole): Progressed {
  const done = ended(step, 'done', { summary, error_code: null, error_text: null }, now);
  const next = step.step_index + 1;
  if (next >= step_count) {
    const status = moveTask(task.status, 'done');
    const result = { result_summary: summary, error_code: null, error_text: null, finished_at: now };
    return { task: { ...task, status, ...result }, step: done, rest: 'keep', next_ready: null };
  }
  if (task.cancel_requested_at !== null) {
    return { task: canceled(task, now), step: done, rest: 'cancel', next_ready: null };
  }
  return { task: { ...task, current_step_index: next }, step: done, rest: 'keep', next_ready: next };
}

function blockStep({ task, step }: Pair, { summary, error_code, error_text }: RunEnd): Progressed {
  const why = { error_code, error_text };
  return {
    task: { ...task, status: moveTask(task.status, 'blocked'), ...why },
    step: { ...step, status: moveStep(step.status, 'blocked'), summary, ...why },
    rest: 'keep',
    next_ready: null,
  };
}

function tryAgain({ task, step }: Pair, end: RunEnd, { counts }: { counts: boolean }): Progressed {
  const { summary, error_code, error_text } = end;
  const attempt = counts ? step.attempt : Math.max(0, step.attempt - 1);
  const status = moveStep(step.status, 'pending');
  return {
    task,
    step: { ...step, status, attempt, ready: 'continues', summary, error_code, error_text },
    rest: 'keep',
    next_ready: null,
  };
}

function failStep({ task, step }: Pair, end: RunEnd, { now }: Whole): Progressed {
  const { summary, error_code, error_text } = end;
  const status = moveTask(task.status, 'failed');
  return {
    task: { ...task, status, result_summary: summary, error_code, error_text, finished_at: now },
    step: ended(step, end.status === 'timeout' ? 'timeout' : 'failed', { summary, error_code, error_text }, now),
    rest: 'cancel',
    next_ready: null,
  };
}

function cancelStep({ task, step }: Pair, { summary, error_code, error_text }: RunEnd, { now }: Whole): Progressed {
  return {
    task: { ...canceled(task, now), error_code, error_text },
    step: ended(step, 'canceled', { summary, error_code, error_text }, now),
    rest: 'cancel',
    next_ready: null,
  };
}

function ended(
  step: StepState,
  status: StepStatus,
  how: Pick<StepState, 'summary' | 'error_code' | 'error_text'>,
  now: number,
): StepState {
  return { ...step, ...how, status: moveStep(step.status, status), ready: null, finished_at: now };
}

function canceled(task: TaskState, now: number): TaskState {
  return { ...task, status: moveTask(task.status, 'canceled'), finished_at: now };
}

/** A person decides about a blocked step. Throws for a step that is not blocked. */
export function resolveStep(pair: Pair, outcome: 'done' | 'failed', note: string, whole: Whole): Progressed {
  const task = { ...pair.task, error_code: null, error_text: null, status: moveTask(pair.task.status, 'running') };
  if (outcome === 'done') return finishStep({ ...pair, task }, note, whole);
  const end = { status: 'failed', summary: null, error_code: 'rejected', error_text: note, final: true } as const;
  return failStep({ ...pair, task }, end, whole);
}

/**
 * A person cancels the task. A running step ends on its node first, and the task with it; without one the task ends now.
 * Null when it has ended.
 */
export function cancelTask(
  { task, step }: { task: TaskState; step: StepState | null },
  now: number,
): (Pick<Progressed, 'task' | 'rest'> & { step: StepState | null }) | null {
  if (isEndedTask(task.status)) return null;
  const asked = { ...task, cancel_requested_at: task.cancel_requested_at ?? now };
  if (step?.status === 'running') return { task: asked, step, rest: 'keep' };
  const why = {
    summary: step?.summary ?? null,
    error_code: step?.error_code ?? null,
    error_text: step?.error_text ?? null,
  };
  return { task: canceled(asked, now), step: step && ended(step, 'canceled', why, now), rest: 'cancel' };
}

/** A person tries a failed or canceled task again, from its first step that is not done. */
export function retryTask(task: TaskState): TaskState {
  return {
    ...task,
    status: moveTask(task.status, 'queued'),
    result_summary: null,
    error_code: null,
    error_text: null,
    cancel_requested_at: null,
    finished_at: null,
  };
}

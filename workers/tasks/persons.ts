/** What a person does with a task: cancel it, try it again, decide about its blocked step, move its work to another host. */
import { and, eq, inArray, sql } from 'drizzle-orm';
import type { STEP_CANCEL_REASONS } from '../../schema/contracts/commands.ts';
import type { TaskState } from '../../schema/contracts/tasks.ts';
import { COMMAND } from '../../schema/defaults.ts';
import { RETRIED_STEP_STATUSES } from '../../schema/domain/step-machine.ts';
import { mayTaskBecome } from '../../schema/domain/task-machine.ts';
import { cancelTask, resolveStep, retryTask } from '../../schema/domain/task-progress.ts';
import { AppError } from '../../schema/errors.ts';
import { newId } from '../../schema/ids.ts';
import type { StepRow } from '../../schema/tables/index.ts';
import { runs, steps, tasks } from '../../schema/tables/index.ts';
import type { Edge, Plan, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import type { CommandDraft } from '../nodes/commands.ts';
import { sendCommands } from '../nodes/push.ts';
import { queueDependents } from './dependencies.ts';
import { offerSteps } from './offers.ts';
import { guardAsRead, storeProgress } from './store-progress.ts';
import { findRun, requireTask } from './task-reads.ts';

type CancelReason = (typeof STEP_CANCEL_REASONS)[number];

/** The command that ends a run on its node. */
export function endRunCommand(
  now: number,
  run: { run_id: string; step_id: string; controller_id: string },
  reason: CancelReason,
): CommandDraft<'step.cancel'> {
  const { run_id, step_id, controller_id } = run;
  return {
    command_id: newId('command', now),
    controller_id,
    kind: 'step.cancel',
    body: { run_id, step_id, reason },
    expires_at: now + COMMAND.expiry_ms,
  };
}

/**
 * A running step ends on its node, and its task with it; a task without one ends at once. Canceling twice changes
 * nothing. Throws `task_not_found`, and `already_finished` for a task that has ended.
 */
export async function cancelByPerson(edge: Edge, taskId: string): Promise<WritePlan<TaskState>> {
  const { db, now } = edge;
  const { task, step } = await requireTask(db, taskId);
  const next = cancelTask({ task, step }, now);
  if (next === null) throw new AppError('already_finished', `this task is ${task.status}`);
  const { status, cancel_requested_at } = next.task;
  const response = { task_id: taskId, status, cancel_requested_at };
  if (task.cancel_requested_at !== null) return { audited: false, response };
  return {
    ...mergePlans(
      await storeProgress(edge, { task, step }, { ...next, next_ready: null }, null),
      await endRunOf(edge, step, 'canceled'),
    ),
    subject_id: taskId,
    response,
  };
}

async function endRunOf(edge: Edge, step: StepRow | null, reason: CancelReason): Promise<Plan> {
  if (step?.status !== 'running' || step.run_id === null) return {};
  const run = await findRun(edge.db, step.run_id);
  return run === undefined ? {} : sendCommands(edge, [endRunCommand(edge.now, run, reason)]);
}

/** Its steps that are not done get all their attempts again. Throws `task_not_found`, and `conflict` for any other task. */
export async function retryByPerson(edge: Edge, taskId: string): Promise<WritePlan<TaskState>> {
  const { db, now } = edge;
  const { task, step } = await requireTask(db, taskId);
  if (!mayTaskBecome(task.status, 'queued') || task.status === 'blocked') {
    throw new AppError('conflict', `only a failed or canceled task can be tried again; this is ${task.status}`);
  }
  const next = retryTask(task);
  const isReady = task.waits_for === 0;
  return {
    ...mergePlans(
      {
        guards: [guardAsRead(db, { task, step })],
        statements: [
          db
            .update(tasks)
            .set({ ...stateOf(next), updated_at: now })
            .where(eq(tasks.task_id, taskId)),
          db
            .update(steps)
            .set({
              status: 'pending',
              attempt: 0,
              ready: sql`CASE WHEN step_index = ${task.current_step_index} AND ${isReady} THEN 'begins' END`,
              summary: null,
              error_code: null,
              error_text: null,
              finished_at: null,
            })
            .where(and(eq(steps.task_id, taskId), inArray(steps.status, RETRIED_STEP_STATUSES))),
        ],
        events: [{ topic: 'tasks', type: 'retried', subject_id: taskId, data: { status: next.status } }],
      },
      queueDependents(edge, taskId),
      isReady && step !== null ? await offerSteps(edge, [step]) : {},
    ),
    subject_id: taskId,
    response: { task_id: taskId, status: next.status, cancel_requested_at: null },
  };
}

function stateOf(task: ReturnType<typeof retryTask>) {
  const { status, result_summary, error_code, error_text, cancel_requested_at, finished_at } = task;
  return { status, result_summary, error_code, error_text, cancel_requested_at, finished_at };
}

/** Throws `step_not_found`, and `conflict` for a step that does not wait for a person. */
export async function resolveByPerson(
  edge: Edge,
  stepId: string,
  { outcome, note }: { outcome: 'done' | 'failed'; note: string },
) {
  const { db, now } = edge;
  const step = await db.select().from(steps).where(eq(steps.step_id, stepId)).get();
  if (step === undefined) throw new AppError('step_not_found', `there is no step ${stepId}`);
  const { task } = await requireTask(db, step.task_id);
  if (step.status !== 'blocked' || task.status !== 'blocked') {
    throw new AppError('conflict', `only a step that waits for a person can be resolved; this one is ${step.status}`);
  }
  const next = resolveStep({ task, step }, outcome, note, { step_count: task.step_count, now });
  return {
    ...(await storeProgress(edge, { task, step }, next, null)),
    subject_id: stepId,
    response: {
      step_id: stepId,
      status: next.step.status,
      task_id: task.task_id,
      task_status: next.task.status,
    },
  };
}

/**
 * Asks the node of the task's running step to give it up. Throws `task_not_found`, and `conflict` without a running step, or
 * for a task that is addressed to a host.
 */
export async function handOverByPerson(edge: Edge, taskId: string) {
  const { db } = edge;
  const { task, step } = await requireTask(db, taskId);
  const run = step?.status === 'running' && step.run_id !== null ? await findRun(db, step.run_id) : undefined;
  if (run === undefined) {
    throw new AppError('conflict', `only a task with a running step can be handed over; this one is ${task.status}`);
  }
  const { target_host } = task.constraints;
  if (target_host !== undefined) {
    throw new AppError('conflict', `this task is addressed to ${target_host}: no other host would continue it`);
  }
  return {
    ...askToGiveUp(edge, [run]),
    subject_id: taskId,
    response: { task_id: taskId, run_id: run.run_id },
  };
}

/** The plan that asks nodes to give runs up. A run that has ended since is left as it is. */
export function askToGiveUp(
  edge: Edge,
  given: readonly { run_id: string; step_id: string; controller_id: string }[],
): Plan {
  if (given.length === 0) return {};
  const { db, now } = edge;
  const ids = sql`(SELECT value FROM json_each(${JSON.stringify(given.map(({ run_id }) => run_id))}))`;
  return mergePlans(
    {
      statements: [
        db
          .update(runs)
          .set({ hand_over_at: now })
          .where(
            and(inArray(runs.run_id, ids), sql`${runs.hand_over_at} IS NULL`, sql`${runs.deadline_at} IS NOT NULL`),
          ),
      ],
      events: given.map(({ run_id }) => ({ topic: 'runs', type: 'hand_over_asked', subject_id: run_id })),
    },
    sendCommands(
      edge,
      given.map((run) => endRunCommand(now, run, 'hand_over')),
    ),
  );
}

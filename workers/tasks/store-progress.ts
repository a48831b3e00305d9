/**
 * Stores what a decision about a task, its current step and the step's run has changed, guarded by all of them being as
 * they were read; and what that means for others: the steps that follow, the tasks that wait for it, the chat that
 * created it.
 */
import { and, eq, gt, sql } from 'drizzle-orm';
import type { EventDraft } from '../../schema/contracts/events.ts';
import { isEndedTask } from '../../schema/domain/task-machine.ts';
import type { Progressed, StepState, TaskState } from '../../schema/domain/task-progress.ts';
import type { StepRow, TaskRow } from '../../schema/tables/index.ts';
import { steps, tasks } from '../../schema/tables/index.ts';
import { guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { projectAgain } from '../renewal/projection-marks.ts';
import type { Ahead } from './ahead.ts';
import { blockDependents, releaseDependents, selectReleased } from './dependencies.ts';
import { insertNotice } from './notice-rows.ts';
import type { Offer } from './offers.ts';
import { offerSteps } from './offers.ts';
import { wakeTimedJobs } from './wake.ts';

/** Task and step as they were read. */
export interface AsRead {
  task: TaskRow;
  step: StepRow | null;
}

/** `reporter`: the node that asks for work by itself after this. `ahead`: what may be ready then, where it was read. */
export async function storeProgress(
  edge: Edge,
  read: AsRead,
  next: Omit<Progressed, 'step'> & { step: StepState | null },
  reporter: string | null,
  ahead: Ahead | null = null,
): Promise<Plan> {
  const { db, now } = edge;
  const { task } = read;
  const { task_id } = task;
  const ends = isEndedTask(next.task.status) && !isEndedTask(task.status);
  const isDone = ends && next.task.status === 'done';
  const released = isDone ? (ahead?.released ?? (await selectReleased(db, sql`${task_id}`))) : [];
  const ready = await readyOffers(db, read, next, ahead);
  const known = ready === ahead?.next ? ahead.nodes : null;
  return mergePlans(
    {
      guards: [guardAsRead(db, read)],
      statements: [...writeTask(edge, task, next.task), ...writeSteps(edge, read, next)],
      events: [...stepEvents(read, next.step), ...taskEvents(task, next.task)],
    },
    isDone ? releaseDependents(edge, task_id) : {},
    ends && next.task.status !== 'done' ? blockDependents(edge, task_id) : {},
    ends ? insertNotice(edge, { ...task, ...next.task }, now) : {},
    ends ? renewAgain(edge, task) : {},
    await offerSteps(edge, ready, reporter, known),
    await offerSteps(edge, released, reporter),
  );
}

/** The renewals of its chat waited for it. A notice carries the chat on by itself. */
function renewAgain(edge: Edge, { hold_renewal, local_conversation_id, notify }: TaskRow): Plan {
  if (!hold_renewal || notify || local_conversation_id === null) return {};
  return {
    statements: [projectAgain(edge.db, local_conversation_id, edge.now)],
    after: () => wakeTimedJobs(edge),
  };
}

/** No other write has moved the task or its step since. */
export function guardAsRead(db: Database, { task, step }: AsRead): Statement {
  const stepAsRead =
    step === null
      ? sql`true`
      : sql`EXISTS (SELECT 1 FROM steps WHERE step_id = ${step.step_id} AND status = ${step.status}
          AND run_id IS ${step.run_id} AND attempt = ${step.attempt})`;
  return guardThat(
    db,
    sql`EXISTS (SELECT 1 FROM tasks WHERE task_id = ${task.task_id} AND status = ${task.status}
      AND current_step_index = ${task.current_step_index} AND waits_for = ${task.waits_for}
      AND cancel_requested_at IS ${task.cancel_requested_at}) AND ${stepAsRead}`,
  );
}

function writeTask({ db, now }: Edge, before: TaskRow, next: TaskState): Statement[] {
  const keys = Object.keys(next) as (keyof TaskState)[];
  if (keys.every((key) => next[key] === before[key])) return [];
  const { status, current_step_index, result_summary, error_code, error_text, cancel_requested_at, finished_at } = next;
  const set = { status, current_step_index, result_summary, error_code, error_text, cancel_requested_at, finished_at };
  return [
    db
      .update(tasks)
      .set({ ...set, updated_at: now })
      .where(eq(tasks.task_id, before.task_id)),
  ];
}

function writeSteps(
  { db, now }: Edge,
  { task, step }: AsRead,
  next: Omit<Progressed, 'step'> & { step: StepState | null },
) {
  const statements: Statement[] = [];
  if (step !== null && next.step !== null && next.step !== step) {
    const { status, attempt, ready, summary, error_code, error_text, finished_at } = next.step;
    const set = { status, attempt, ready, summary, error_code, error_text, finished_at };
    statements.push(db.update(steps).set(set).where(eq(steps.step_id, step.step_id)));
  }
  if (next.rest === 'cancel') {
    statements.push(
      db
        .update(steps)
        .set({ status: 'canceled', ready: null, finished_at: now })
        .where(
          and(
            eq(steps.task_id, task.task_id),
            gt(steps.step_index, task.current_step_index),
            sql`${steps.status} = 'pending'`,
          ),
        ),
    );
  }
  if (next.next_ready !== null) {
    statements.push(
      db
        .update(steps)
        .set({ ready: 'continues' })
        .where(
          and(eq(steps.task_id, task.task_id), eq(steps.step_index, next.next_ready), sql`${steps.status} = 'pending'`),
        ),
    );
  }
  return statements;
}

/** The steps that a node may claim after this. */
async function readyOffers(
  db: Database,
  { step }: AsRead,
  next: Omit<Progressed, 'step'> & { step: StepState | null },
  ahead: Ahead | null,
): Promise<readonly Offer[]> {
  if (step !== null && next.step?.ready) return [step];
  if (next.next_ready === null || step === null) return [];
  if (ahead !== null && next.next_ready === step.step_index + 1) return ahead.next;
  return db
    .select({ step_id: steps.step_id, task_id: steps.task_id, target: steps.target })
    .from(steps)
    .where(and(eq(steps.task_id, step.task_id), eq(steps.step_index, next.next_ready)));
}

function taskEvents({ task_id, status, cancel_requested_at }: TaskRow, next: TaskState): EventDraft[] {
  const isCancel = cancel_requested_at === null && next.cancel_requested_at !== null;
  if (next.status === status && !isCancel) return [];
  const data = { status: next.status, error_code: next.error_code, cancel_requested_at: next.cancel_requested_at };
  return [{ topic: 'tasks', type: isEndedTask(next.status) ? 'ended' : 'changed', subject_id: task_id, data }];
}

function stepEvents({ step }: AsRead, next: StepState | null): EventDraft[] {
  if (step === null || next === null || next.status === step.status) return [];
  const { status, error_code } = next;
  const data = { step_id: step.step_id, step_index: step.step_index, status, error_code, run_id: step.run_id };
  return [{ topic: 'tasks', type: 'step_changed', subject_id: step.task_id, data }];
}

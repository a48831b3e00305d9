/** Tasks, steps and runs as stored. */
import type { SQL } from 'drizzle-orm';
import { and, asc, desc, eq, sql } from 'drizzle-orm';
import type { RunUsage } from '../../schema/contracts/runs.ts';
import { RunSchema, RunUsageSchema } from '../../schema/contracts/runs.ts';
import type { TaskDetail, TaskStatus } from '../../schema/contracts/tasks.ts';
import { StepSchema, TaskSchema, TaskSummarySchema } from '../../schema/contracts/tasks.ts';
import { TASK } from '../../schema/defaults.ts';
import { waitingReason } from '../../schema/domain/task-claim.ts';
import { isEndedTask } from '../../schema/domain/task-machine.ts';
import { AppError } from '../../schema/errors.ts';
import type { RunRow, StepRow, TaskRow } from '../../schema/tables/index.ts';
import { fence, runs, steps, tasks } from '../../schema/tables/index.ts';
import { contractColumns } from '../db/columns.ts';
import { equals } from '../db/filters.ts';
import type { Database } from '../db/open.ts';
import { marked } from '../db/readable.ts';
import { OPEN_TASK_SQL } from '../db/task-sql.ts';
import type { Page, PageRequest } from '../http/paging.ts';
import { listWindow, toBoundedPage } from '../http/paging.ts';

export function noTask(taskId: string): AppError {
  return new AppError('task_not_found', `there is no task ${taskId}`);
}

/** A task with the step that it is at; null only for a task whose row of it is gone. */
export interface TaskAtStep {
  task: TaskRow;
  step: StepRow | null;
}

/** Throws `task_not_found`. */
export async function requireTask(db: Database, taskId: string): Promise<TaskAtStep> {
  const [found, current] = await db.batch([
    db.select().from(tasks).where(eq(tasks.task_id, taskId)),
    db
      .select()
      .from(steps)
      .where(
        and(
          eq(steps.task_id, taskId),
          sql`${steps.step_index} = (SELECT current_step_index FROM tasks WHERE tasks.task_id = ${taskId})`,
        ),
      ),
  ]);
  const [task] = found;
  if (task === undefined) throw noTask(taskId);
  return { task, step: current[0] ?? null };
}

export async function findRun(db: Database, runId: string): Promise<RunRow | undefined> {
  return db.select().from(runs).where(eq(runs.run_id, runId)).get();
}

/** Throws `run_not_found`. */
export async function requireRun(db: Database, runId: string): Promise<RunRow> {
  const run = await findRun(db, runId);
  if (run === undefined) throw new AppError('run_not_found', `there is no run ${runId}`);
  return run;
}

export async function taskStatusOf(db: Database, taskId: string): Promise<string | null> {
  const found = await db.select({ status: tasks.status }).from(tasks).where(eq(tasks.task_id, taskId)).get();
  return found?.status ?? null;
}

/** What the coding agents of each step used in all its attempts. */
function usageOfSteps(db: Database, taskId: string) {
  const sums = Object.keys(RunUsageSchema.shape).map((key) => sql`${key}, sum(${runs.usage} ->> ${`$.${key}`})`);
  const usage = sql`json_patch('{}', json_object(${sql.join(sums, sql`, `)}))`
    .mapWith((value): RunUsage => JSON.parse(String(value)) as RunUsage)
    .as('usage');
  return db
    .select({ step_id: runs.step_id, usage })
    .from(runs)
    .where(and(eq(runs.task_id, taskId), sql`json_valid(${runs.usage})`))
    .groupBy(runs.step_id);
}

/** The steps that the contract shows, and the newest runs. Throws `task_not_found`. */
export async function taskDetail(db: Database, taskId: string): Promise<TaskDetail> {
  const [found, itsSteps, newest, fences, used] = await db.batch([
    db.select(contractColumns(tasks, TaskSchema)).from(tasks).where(eq(tasks.task_id, taskId)),
    db
      .select({ ...contractColumns(steps, StepSchema), ready: steps.ready })
      .from(steps)
      .where(eq(steps.task_id, taskId))
      .orderBy(asc(steps.step_index)),
    db
      .select(contractColumns(runs, RunSchema))
      .from(runs)
      .where(eq(runs.task_id, taskId))
      .orderBy(desc(runs.run_id))
      .limit(TASK.runs_shown),
    db.select({ mode: fence.mode }).from(fence),
    usageOfSteps(db, taskId),
  ]);
  const [task] = found;
  if (task === undefined) throw noTask(taskId);
  const usage = new Map(used.map((one) => [one.step_id, one.usage]));
  const current = itsSteps.find((step) => step.step_index === task.current_step_index);
  return {
    ...marked(task),
    steps: itsSteps.map(({ ready: _ready, ...step }) => ({ ...step, usage: usage.get(step.step_id) ?? null })),
    runs: newest.reverse(),
    waiting_reason: waitingReason(task, current?.ready ?? null, fences[0]?.mode ?? 'running'),
  };
}

export type TaskFilter = Partial<{
  status: TaskStatus | undefined;
  repo: string | undefined;
  host: string | undefined;
  local_conversation_id: string | undefined;
}>;

/** Newest first. With a filter, a page can be short and still have a `next_cursor`. `host`: the host it is addressed to, or the node that has its newest run. */
export async function listTasks(db: Database, query: PageRequest & TaskFilter) {
  const { status, repo, host, local_conversation_id } = query;
  const isOpen = status !== undefined && !isEndedTask(status);
  const isFiltered = [status, repo, host, local_conversation_id].some((one) => one !== undefined);
  const window = await listWindow(db, tasks.task_id, query, isOpen || !isFiltered);
  const rows = await db
    .select(contractColumns(tasks, TaskSummarySchema))
    .from(tasks)
    .where(
      and(
        statusFilter(status),
        equals(tasks.repo, repo),
        hostFilter(host),
        equals(tasks.local_conversation_id, local_conversation_id),
        window.where,
      ),
    )
    .orderBy(window.orderBy)
    .limit(window.limit);
  const page: Page<(typeof rows)[number]> = toBoundedPage(rows, query, window, (row) => row.task_id);
  return { ...page, items: page.items.map(marked) };
}

/** With the condition of the index over open tasks where the status is one of them. */
function statusFilter(status: TaskStatus | undefined): SQL | undefined {
  if (status === undefined) return undefined;
  if (isEndedTask(status)) return equals(tasks.status, status);
  return sql`${tasks.status} ${OPEN_TASK_SQL} AND ${tasks.status} = ${status}`;
}

function hostFilter(host: string | undefined): SQL | undefined {
  if (host === undefined) return undefined;
  return sql`(${tasks.assigned_controller_id} = ${host}
    OR CASE WHEN json_valid(${tasks.constraints}) THEN ${tasks.constraints} ->> 'target_host' END = ${host})`;
}

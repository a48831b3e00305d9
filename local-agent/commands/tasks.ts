/** `tasks`: pieces of work for hosts. Create one, look at it, follow its output, end it, try it again, move it. */
import type { TaskStatus } from '../../schema/contracts/tasks.ts';
import {
  HandOverResponseSchema,
  TASK_STATUSES,
  TaskDetailSchema,
  TaskStateSchema,
  TaskSummarySchema,
} from '../../schema/contracts/tasks.ts';
import { choiceOption, valueOption } from '../config/flags.ts';
import { changeCommand } from './change.ts';
import type { CliCommand } from './command.ts';
import { createTask } from './create-task.ts';
import { listCommand, showCommand } from './lists.ts';
import { moment } from './output.ts';
import { printTask } from './show-task.ts';
import { taskLogs } from './task-logs.ts';

const PATH = '/v1/tasks';
/** Nothing changes any more, unless a person decides. */
const ENDED: readonly TaskStatus[] = ['done', 'failed', 'canceled', 'blocked'];
const task = { argument: 'task', idForm: 'task_…' };

const list = listCommand({
  about: 'list tasks, newest first',
  examples: ['tasks list --status running', 'tasks list --repo app --json'],
  path: PATH,
  item: TaskSummarySchema,
  filters: {
    status: choiceOption('--status <status>', 'only tasks with that status', TASK_STATUSES),
    repo: valueOption('--repo <name>', 'only tasks of that repository'),
    host: valueOption('--host <host>', 'only tasks that are addressed to that host'),
  },
  head: ['ID', 'STATUS', 'TYPE', 'REPO', 'TITLE', 'NODE', 'CREATED'],
  row: (one) => [
    one.task_id,
    one.status,
    one.task_type,
    one.repo,
    one.title,
    one.assigned_controller_id,
    moment(one.created_at),
  ],
  none: 'no task yet',
  facts: ({ task_id, status, assigned_controller_id }) => [task_id, status, assigned_controller_id],
});

const show = showCommand({
  ...task,
  about: 'show one task with its steps and runs',
  examples: ['tasks show TASK_ID', 'tasks show TASK_ID --watch'],
  path: (id) => `${PATH}/${id}`,
  schema: TaskDetailSchema,
  print: printTask,
  hasEnded: ({ status }) => ENDED.includes(status),
});

function taskChange(name: 'cancel' | 'retry', about: string): CliCommand {
  return changeCommand({
    ...task,
    name,
    about,
    examples: [`tasks ${name} TASK_ID --reason 'no longer needed'`],
    path: (id) => `${PATH}/${id}/${name}`,
    takesReason: true,
    schema: TaskStateSchema,
    summary: ({ task_id, status, cancel_requested_at }) =>
      cancel_requested_at !== null && status === 'running'
        ? `${task_id} is being canceled: its step ends on its node`
        : `${task_id} is ${status}`,
  });
}

const handOver = changeCommand({
  ...task,
  name: 'hand-over',
  about: 'end the running step with a checkpoint, so that another host continues it',
  examples: ['tasks hand-over TASK_ID'],
  path: (id) => `${PATH}/${id}/hand-over`,
  takesReason: true,
  schema: HandOverResponseSchema,
  summary: ({ task_id, run_id }) =>
    run_id === null ? `${task_id} has no running step` : `the node of ${run_id} was asked to give it up`,
});

export const tasks: readonly CliCommand[] = [
  createTask,
  list,
  show,
  taskLogs,
  taskChange('cancel', 'cancel a task; a running step is ended'),
  taskChange('retry', 'try a failed or canceled task again'),
  handOver,
];

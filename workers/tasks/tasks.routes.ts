/** Tasks: creating, planning, reading, claiming, and what a person does with one. */
import { z } from 'zod';
import { idSchema, PageQuerySchema, pageOf } from '../../schema/contracts/common.ts';
import { ClaimBodySchema, ClaimResponseSchema } from '../../schema/contracts/runs.ts';
import {
  HandOverResponseSchema,
  RepoNameSchema,
  TaskCreateBodySchema,
  TaskCreatedSchema,
  TaskDetailSchema,
  TaskIdSchema,
  TaskPlanBodySchema,
  TaskReasonBodySchema,
  TaskStateSchema,
  TaskStatusSchema,
  TaskSummarySchema,
} from '../../schema/contracts/tasks.ts';
import { stillValid } from '../auth/live-token.ts';
import { sha256Hex } from '../crypto/hash.ts';
import { byteStream } from '../http/byte-stream.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, PEOPLE, READERS, raw, read, write } from '../http/route.ts';
import { requireAdmitted } from '../nodes/boots.ts';
import { claimStep } from './claim.ts';
import { createTask } from './create.ts';
import { FollowQuerySchema, LOG_HEADERS } from './log-query.ts';
import { streamLog } from './log-stream.ts';
import { cancelByPerson, handOverByPerson, retryByPerson } from './persons.ts';
import { planTask } from './plan-task.ts';
import { listTasks, requireTask, taskDetail } from './task-reads.ts';

const tag = 'tasks';
const params = z.object({ task_id: TaskIdSchema });

export const tasks: readonly MountedRoute[] = [
  write(
    {
      method: 'post',
      path: '/v1/tasks',
      summary: 'Create a task; its steps are those given, or the template of its type',
      tag,
      roles: PEOPLE,
      body: TaskCreateBodySchema,
      data: TaskCreatedSchema,
      status: 201,
    },
    async (call) => createTask(call, call.body, { created_by: call.principal.subject, is_persons: true, chat: null }),
  ),
  read(
    {
      method: 'get',
      path: '/v1/tasks',
      summary: 'Tasks, newest first; `host` is the host a task is addressed to, or the node that has it',
      tag,
      roles: READERS,
      query: PageQuerySchema.extend({
        status: TaskStatusSchema.optional(),
        repo: RepoNameSchema.optional(),
        host: z.string().max(255).optional(),
        local_conversation_id: idSchema('lc').optional(),
      }),
      data: pageOf(TaskSummarySchema),
    },
    async ({ db, query }) => listTasks(db, query),
  ),
  write(
    {
      method: 'post',
      path: '/v1/tasks/claim',
      summary: 'Claim the next step that this node may and can run; `run: null` with the reason when there is none',
      tag,
      roles: NODES,
      body: ClaimBodySchema,
      data: ClaimResponseSchema,
      errors: ['stale_term', 'not_leader', 'duplicate_node'],
    },
    async (call) => {
      await requireAdmitted(call, call.body.controller_id);
      return claimStep(call, call.body);
    },
  ),
  read(
    {
      method: 'get',
      path: '/v1/tasks/:task_id',
      summary: 'One task with its steps and its newest runs',
      tag,
      roles: READERS,
      params,
      data: TaskDetailSchema,
      errors: ['task_not_found'],
    },
    async ({ db, params: { task_id } }) => taskDetail(db, task_id),
  ),
  raw(
    {
      method: 'get',
      path: '/v1/tasks/:task_id/logs',
      summary:
        'The output of its runs as text. `follow=1` streams it until the task has ended; a stream that breaks off earlier continues with `offset`, which counts all bytes that arrived',
      tag,
      roles: READERS,
      params,
      query: FollowQuerySchema,
      data: z.string(),
      produces: 'text/plain',
      errors: ['task_not_found'],
    },
    async ({ c, db, params: { task_id }, query, principal }) => {
      await requireTask(db, task_id);
      const { offset, follow } = query;
      if (c.req.raw.method === 'HEAD') return c.body(null, 200, LOG_HEADERS);
      const credentialHash = await sha256Hex(c.var.credential);
      const request = { of: { task_id }, offset, follow, mayRead: () => stillValid(principal, credentialHash) };
      return c.body(
        byteStream((sink) => streamLog(sink, db, request)),
        200,
        LOG_HEADERS,
      );
    },
  ),
  write(
    {
      method: 'post',
      path: '/v1/tasks/:task_id/plan',
      summary: 'Replace the steps of a task that has not begun',
      tag,
      roles: [...PEOPLE, ...NODES],
      params,
      body: TaskPlanBodySchema,
      data: TaskDetailSchema,
      errors: ['task_not_found', 'conflict', 'not_owner', 'stale_term', 'not_leader'],
    },
    async (call) => planTask(call, call.params.task_id, call.body, call.principal),
  ),
  write(
    {
      method: 'post',
      path: '/v1/tasks/:task_id/cancel',
      summary: 'Cancel a task; a running step ends on its node, and the task with it',
      tag,
      roles: PEOPLE,
      params,
      body: TaskReasonBodySchema,
      data: TaskStateSchema,
      errors: ['task_not_found', 'already_finished'],
    },
    async (call) => cancelByPerson(call, call.params.task_id),
  ),
  write(
    {
      method: 'post',
      path: '/v1/tasks/:task_id/retry',
      summary: 'Try a failed or canceled task again, from its first step that is not done',
      tag,
      roles: PEOPLE,
      params,
      body: TaskReasonBodySchema,
      data: TaskStateSchema,
      errors: ['task_not_found', 'conflict'],
    },
    async (call) => retryByPerson(call, call.params.task_id),
  ),
  write(
    {
      method: 'post',
      path: '/v1/tasks/:task_id/hand-over',
      summary: 'Let its node give the running step up, so that another host continues it',
      tag,
      roles: PEOPLE,
      params,
      body: TaskReasonBodySchema,
      data: HandOverResponseSchema,
      errors: ['task_not_found', 'conflict'],
    },
    async (call) => handOverByPerson(call, call.params.task_id),
  ),
];

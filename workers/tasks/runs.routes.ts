/** Runs: reading one, its checkpoints and its log; and draining a node of its runs. */
import { z } from 'zod';
import { ControllerIdSchema, PageQuerySchema, pageOf } from '../../schema/contracts/common.ts';
import {
  CheckpointDetailSchema,
  CheckpointSchema,
  RunDetailSchema,
  RunIdSchema,
  RunStreamSchema,
} from '../../schema/contracts/runs.ts';
import { NodeDrainBodySchema, NodeDrainResponseSchema } from '../../schema/contracts/tasks.ts';
import { logOf } from '../../schema/domain/run-log.ts';
import { stillValid } from '../auth/live-token.ts';
import { sha256Hex } from '../crypto/hash.ts';
import { byteStream } from '../http/byte-stream.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, PEOPLE, READERS, raw, read, write } from '../http/route.ts';
import { listCheckpoints, readCheckpoint } from './checkpoints.ts';
import { drainNode } from './drain-node.ts';
import { FollowQuerySchema, LOG_HEADERS } from './log-query.ts';
import { streamLog } from './log-stream.ts';
import { taskStatusOf } from './task-reads.ts';
import { requireVisibleRun } from './visible-run.ts';

const tag = 'runs';
const params = z.object({ run_id: RunIdSchema });
const roles = [...READERS, ...NODES];

export const runs: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path: '/v1/runs/:run_id',
      summary: 'One run',
      tag,
      roles,
      params,
      data: RunDetailSchema,
      errors: ['run_not_found', 'not_owner'],
    },
    async ({ db, params: { run_id }, principal }) => {
      const run = await requireVisibleRun(db, run_id, principal);
      return RunDetailSchema.parse({ ...flat(run), task_status: await taskStatusOf(db, run.task_id) });
    },
  ),
  read(
    {
      method: 'get',
      path: '/v1/runs/:run_id/checkpoints',
      summary: 'The checkpoints of a run, in their order, without content',
      tag,
      roles,
      params,
      query: PageQuerySchema,
      data: pageOf(CheckpointSchema),
      errors: ['run_not_found', 'not_owner'],
    },
    async ({ db, params: { run_id }, principal, query }) => {
      // A cursor of another list is refused for any run.
      const page = await listCheckpoints(db, run_id, query);
      await requireVisibleRun(db, run_id, principal);
      return page;
    },
  ),
  read(
    {
      method: 'get',
      path: '/v1/runs/:run_id/checkpoints/:seq',
      summary: 'One checkpoint with its content, while the edge keeps it',
      tag,
      roles,
      params: params.extend({ seq: z.coerce.number().int().positive() }),
      data: CheckpointDetailSchema,
      errors: ['run_not_found', 'not_owner', 'checkpoint_not_found'],
    },
    async ({ env, db, params: { run_id, seq }, principal }) => {
      await requireVisibleRun(db, run_id, principal);
      return readCheckpoint({ env, db }, run_id, seq);
    },
  ),
  raw(
    {
      method: 'get',
      path: '/v1/runs/:run_id/logs',
      summary: 'The output of a run as text, or one of its streams; `offset` counts the bytes of its log that arrived',
      tag,
      roles,
      params,
      query: FollowQuerySchema.extend({ stream: RunStreamSchema.optional() }),
      data: z.string(),
      produces: 'text/plain',
      errors: ['run_not_found', 'not_owner'],
    },
    async ({ c, db, params: { run_id }, query, principal }) => {
      await requireVisibleRun(db, run_id, principal);
      const only = query.stream ?? null;
      const of = { run_id, log: only === null ? ('output' as const) : logOf(only), stream: only };
      const { offset, follow } = query;
      if (c.req.raw.method === 'HEAD') return c.body(null, 200, LOG_HEADERS);
      const credentialHash = await sha256Hex(c.var.credential);
      const request = { of, offset, follow, mayRead: () => stillValid(principal, credentialHash) };
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
      path: '/v1/controllers/:controller_id/drain',
      summary: 'Let a node claim nothing more and give up what it runs; `on: false` lets it claim again',
      tag: 'controllers',
      roles: PEOPLE,
      params: z.object({ controller_id: ControllerIdSchema }),
      body: NodeDrainBodySchema,
      data: NodeDrainResponseSchema,
      errors: ['controller_not_found'],
    },
    async (call) => drainNode(call, call.params.controller_id, call.body.on),
  ),
];

function flat<T extends { log: { streams: Record<string, unknown> } }>({ log, ...run }: T) {
  return { ...run, log: log.streams };
}

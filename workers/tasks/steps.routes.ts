/** What the holder of a run reports of it, and what a person decides about a blocked step. */
import { z } from 'zod';
import {
  CheckpointBodySchema,
  CheckpointStoredSchema,
  RunCompleteBodySchema,
  RunEndResponseSchema,
  RunFailBodySchema,
  RunHeartbeatBodySchema,
  RunHeartbeatResponseSchema,
  RunLogsBodySchema,
  RunLogsResponseSchema,
} from '../../schema/contracts/runs.ts';
import { StepIdSchema, StepResolveBodySchema, StepResolvedSchema } from '../../schema/contracts/tasks.ts';
import type { Session } from '../../schema/contracts/tokens.ts';
import { RUN } from '../../schema/defaults.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, PEOPLE, write } from '../http/route.ts';
import { takeCheckpoint } from './checkpoints.ts';
import { beat } from './heartbeat.ts';
import { takeLogs } from './logs.ts';
import type { RunCaller } from './own-run.ts';
import { resolveByPerson } from './persons.ts';
import { completeRun, failRun } from './run-end.ts';

const tag = 'runs';
const params = z.object({ step_id: StepIdSchema });
const HOLDERS = [...NODES, 'worker'] as const;
const errors = ['step_not_found', 'not_owner', 'stale_run'] as const;

interface Report {
  params: { step_id: string };
  body: { run_id: string };
  principal: Session;
}
function callerOf({ params: { step_id }, body: { run_id }, principal }: Report): RunCaller {
  return { step_id, run_id, principal };
}

export const steps: readonly MountedRoute[] = [
  write(
    {
      method: 'post',
      path: '/v1/steps/:step_id/heartbeat',
      summary: 'Keep the claim of a run; the response says until when, and whether to end it',
      tag,
      roles: HOLDERS,
      params,
      body: RunHeartbeatBodySchema,
      data: RunHeartbeatResponseSchema,
      errors,
    },
    async (call) => beat(call, callerOf(call), call.body),
  ),
  write(
    {
      method: 'post',
      path: '/v1/steps/:step_id/logs',
      summary: 'Report output of a run; bytes that the edge has are ignored',
      tag,
      roles: HOLDERS,
      params,
      body: RunLogsBodySchema,
      data: RunLogsResponseSchema,
      errors: [...errors, 'conflict'],
    },
    async (call) => takeLogs(call, callerOf(call), call.body),
  ),
  write(
    {
      method: 'post',
      path: '/v1/steps/:step_id/checkpoint',
      summary: 'Store a checkpoint of a run',
      tag,
      roles: HOLDERS,
      params,
      body: CheckpointBodySchema,
      maxBodyBytes: RUN.max_checkpoint_request_bytes,
      data: CheckpointStoredSchema,
      errors,
    },
    async (call) => takeCheckpoint(call, callerOf(call), call.body),
  ),
  write(
    {
      method: 'post',
      path: '/v1/steps/:step_id/complete',
      summary: 'Report that a run succeeded',
      tag,
      roles: HOLDERS,
      params,
      body: RunCompleteBodySchema,
      data: RunEndResponseSchema,
      errors,
    },
    async (call) => completeRun(call, callerOf(call), call.body),
  ),
  write(
    {
      method: 'post',
      path: '/v1/steps/:step_id/fail',
      summary: 'Report that a run ended without success, or is given up',
      tag,
      roles: HOLDERS,
      params,
      body: RunFailBodySchema,
      data: RunEndResponseSchema,
      errors,
    },
    async (call) => failRun(call, callerOf(call), call.body),
  ),
  write(
    {
      method: 'post',
      path: '/v1/steps/:step_id/resolve',
      summary: 'Decide about a step that waits for a person',
      tag: 'tasks',
      roles: PEOPLE,
      params,
      body: StepResolveBodySchema,
      data: StepResolvedSchema,
      errors: ['step_not_found', 'conflict'],
    },
    async (call) => resolveByPerson(call, call.params.step_id, call.body),
  ),
];

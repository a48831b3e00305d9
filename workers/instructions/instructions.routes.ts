/** Instructions: reading them, what the node that holds them reports, and what people decide about them. */
import { z } from 'zod';
import { idSchema, PageQuerySchema, pageOf } from '../../schema/contracts/common.ts';
import {
  ApproveBodySchema,
  DenyBodySchema,
  InstructionCancelBodySchema,
  InstructionDetailSchema,
  InstructionResolveBodySchema,
  InstructionResultBodySchema,
  InstructionResultResponseSchema,
  InstructionRunBodySchema,
  InstructionRunResponseSchema,
  InstructionSchema,
  InstructionStateSchema,
  StartedBodySchema,
  StartedResponseSchema,
} from '../../schema/contracts/instructions.ts';
import { InstructionOutputBodySchema, InstructionOutputResponseSchema } from '../../schema/contracts/progress.ts';
import { WaitingSchema } from '../../schema/contracts/waiting.ts';
import { requireOwn } from '../auth/ownership.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, PEOPLE, READERS, read, write } from '../http/route.ts';
import { approveInstruction, denyInstruction } from './approve.ts';
import { cancelInstruction } from './cancel.ts';
import { instructionDetail, listInstructions } from './instruction-reads.ts';
import { reportOutput, reportResult, reportStart } from './reports.ts';
import { resolveInstruction } from './resolve.ts';
import { runInstruction } from './run.ts';
import { readWaiting } from './waiting.ts';

const base = {
  tag: 'instructions',
  params: z.object({ instruction_id: idSchema('ins') }),
  errors: ['instruction_not_found', 'not_owner'],
} as const;

export const instructions: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path: '/v1/status/waiting',
      summary:
        'What waits for a person: approvals, interrupted instructions, blocked tasks, stopped browsers, conversations paused by the breaker',
      tag: 'status',
      roles: READERS,
      data: WaitingSchema,
    },
    ({ db }) => readWaiting(db),
  ),
  read(
    {
      method: 'get',
      path: '/v1/instructions',
      summary: 'Instructions, newest first',
      tag: 'instructions',
      roles: [...READERS, ...NODES],
      query: PageQuerySchema.extend({
        status: InstructionStateSchema.optional(),
        message_id: idSchema('msg').optional(),
        local_conversation_id: idSchema('lc').optional(),
      }),
      data: pageOf(InstructionSchema),
    },
    async ({ db, principal: { controller_id }, query }) => listInstructions(db, { ...query, controller_id }, query),
  ),
  read(
    {
      ...base,
      method: 'get',
      path: '/v1/instructions/:instruction_id',
      summary: 'One instruction with its journal entries',
      roles: [...READERS, ...NODES],
      data: InstructionDetailSchema,
    },
    async ({ principal, params, ...edge }) => {
      const instruction = await instructionDetail(edge, params.instruction_id);
      requireOwn(principal.controller_id, instruction);
      return instruction;
    },
  ),
  write(
    {
      ...base,
      method: 'post',
      path: '/v1/instructions/:instruction_id/started',
      summary: 'Report that the instruction has started',
      roles: NODES,
      body: StartedBodySchema,
      data: StartedResponseSchema,
    },
    async ({ params, body, ...edge }) => reportStart(edge, params.instruction_id, body.controller_id),
  ),
  write(
    {
      ...base,
      method: 'post',
      path: '/v1/instructions/:instruction_id/result',
      summary: 'Report how the instruction ended',
      roles: NODES,
      body: InstructionResultBodySchema,
      data: InstructionResultResponseSchema,
    },
    async ({ c, params, body, ...edge }) => reportResult(edge, params.instruction_id, body, c.req.url),
  ),
  write(
    {
      ...base,
      method: 'post',
      path: '/v1/instructions/:instruction_id/run',
      summary: 'Run a claimed tool of the edge, in message order',
      roles: NODES,
      body: InstructionRunBodySchema,
      data: InstructionRunResponseSchema,
      errors: [...base.errors, 'conflict'],
    },
    async ({ c, params, body, ...edge }) => runInstruction(edge, params.instruction_id, body, c.req.url),
  ),
  write(
    {
      ...base,
      method: 'post',
      path: '/v1/instructions/:instruction_id/cancel',
      summary: 'Cancel an instruction; if its host already runs it, the host is asked to end it and reports the result',
      roles: PEOPLE,
      body: InstructionCancelBodySchema,
      data: InstructionSchema,
      errors: ['instruction_not_found', 'already_finished'],
    },
    async ({ principal: { subject: by }, params, body: { reason }, ...edge }) =>
      cancelInstruction(edge, params.instruction_id, { by, reason }),
  ),
  write(
    {
      ...base,
      method: 'post',
      path: '/v1/instructions/:instruction_id/output',
      summary: 'Report what the running program has printed since the last report',
      roles: NODES,
      body: InstructionOutputBodySchema,
      data: InstructionOutputResponseSchema,
    },
    async ({ params, body, ...edge }) => reportOutput(edge, params.instruction_id, body),
  ),
  write(
    {
      ...base,
      method: 'post',
      path: '/v1/instructions/:instruction_id/approve',
      summary: 'Approve the instruction exactly as it was shown; its host may run it from now on',
      roles: PEOPLE,
      body: ApproveBodySchema,
      data: InstructionSchema,
      errors: ['instruction_not_found', 'conflict', 'already_finished', 'system_paused'],
    },
    async ({ principal: { subject: by }, params, body, ...edge }) =>
      approveInstruction(edge, params.instruction_id, { ...body, by }),
  ),
  write(
    {
      ...base,
      method: 'post',
      path: '/v1/instructions/:instruction_id/deny',
      summary: 'Deny the instruction; the instructions that wait behind it continue',
      roles: PEOPLE,
      body: DenyBodySchema,
      data: InstructionSchema,
      errors: ['instruction_not_found', 'conflict', 'already_finished'],
    },
    async ({ principal: { subject: by }, params, body, ...edge }) =>
      denyInstruction(edge, params.instruction_id, { ...body, by }),
  ),
  write(
    {
      ...base,
      method: 'post',
      path: '/v1/instructions/:instruction_id/resolve',
      summary: 'Say what became of an interrupted instruction: it took effect, or it did not',
      roles: PEOPLE,
      body: InstructionResolveBodySchema,
      data: InstructionSchema,
      errors: ['instruction_not_found', 'conflict', 'already_finished'],
    },
    async ({ principal: { subject: by }, params, body, ...edge }) =>
      resolveInstruction(edge, params.instruction_id, { ...body, by }),
  ),
];

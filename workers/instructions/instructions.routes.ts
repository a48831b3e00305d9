/** Instructions: their state and story, and what their holder and people do with them. */
import { and, sql } from 'drizzle-orm';
import { z } from 'zod';
import { idSchema, PageQuerySchema, pageOf } from '../../schema/contracts/common.ts';
import {
  ApproveBodySchema,
  DenyBodySchema,
  InstructionCancelBodySchema,
  InstructionDetailSchema,
  InstructionOutputBodySchema,
  InstructionOutputResponseSchema,
  InstructionResultBodySchema,
  InstructionResultResponseSchema,
  InstructionRunBodySchema,
  InstructionRunResponseSchema,
  InstructionSchema,
  InstructionStateSchema,
  StartedBodySchema,
  StartedResponseSchema,
} from '../../schema/contracts/instructions.ts';
import { isOpenStatus } from '../../schema/domain/instruction-machine.ts';
import { AppError } from '../../schema/errors.ts';
import { instructions as instructionRows } from '../../schema/tables/index.ts';
import { requireOwn } from '../auth/ownership.ts';
import { equals } from '../db/filters.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, PEOPLE, READERS, read, write } from '../http/route.ts';
import { instructionDetail, listInstructions } from '../messages/message-reads.ts';
import { approveInstruction, endApproval, requireAwaiting } from './approve.ts';
import { cancelInstruction } from './cancel.ts';
import { readInstruction } from './finish.ts';
import { appendOutput } from './live-output.ts';
import { runInstruction } from './run.ts';
import { startInstruction } from './start.ts';
import { claimExpiresInMs } from './statuses.ts';
import { storeResult } from './store-result.ts';

const InstructionParams = z.object({ instruction_id: idSchema('ins') });
const base = {
  tag: 'instructions',
  params: InstructionParams,
  errors: ['instruction_not_found', 'not_owner'],
} as const;

export const instructions: readonly MountedRoute[] = [
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
    async ({ db, principal, query }) => {
      const { status, message_id, local_conversation_id } = query;
      const filter = and(
        equals(instructionRows.controller_id, principal.controller_id),
        // Spelled as its partial index has it: whoever looks for approvals looks often.
        status === 'awaiting_approval'
          ? sql`${instructionRows.status} = 'awaiting_approval'`
          : equals(instructionRows.status, status),
        equals(instructionRows.message_id, message_id),
        equals(instructionRows.local_conversation_id, local_conversation_id),
      );
      return listInstructions(db, filter, query);
    },
  ),
  read(
    {
      ...base,
      method: 'get',
      path: '/v1/instructions/:instruction_id',
      summary: 'One instruction with its story',
      roles: [...READERS, ...NODES],
      data: InstructionDetailSchema,
    },
    async ({ db, principal, params }) => {
      const instruction = await instructionDetail(db, params.instruction_id);
      requireOwn(principal.controller_id, instruction);
      return instruction;
    },
  ),
  write(
    {
      ...base,
      method: 'post',
      path: '/v1/instructions/:instruction_id/started',
      summary: 'Its holder begins it',
      roles: NODES,
      body: StartedBodySchema,
      data: StartedResponseSchema,
    },
    async ({ db, now, params, body }) => {
      const loaded = await readInstruction(db, params.instruction_id);
      const { row } = loaded;
      requireOwn(body.controller_id, row);
      const { plan, statuses } = startInstruction({ db, now }, loaded);
      const own = statuses.find((one) => one.instruction_id === row.instruction_id) ?? row;
      return {
        ...plan,
        subject_id: row.instruction_id,
        response: {
          instruction_id: row.instruction_id,
          status: own.status,
          claim_expires_in_ms: claimExpiresInMs(own, now),
        },
      };
    },
  ),
  write(
    {
      ...base,
      method: 'post',
      path: '/v1/instructions/:instruction_id/result',
      summary: 'Its holder says how it ended',
      roles: NODES,
      body: InstructionResultBodySchema,
      data: InstructionResultResponseSchema,
    },
    async ({ c, env, db, now, params, body }) => {
      const loaded = await readInstruction(db, params.instruction_id);
      requireOwn(body.controller_id, loaded.row);
      const { controller_id: _holder, ...result } = body;
      return storeResult({ env, db, now, origin: c.req.url, loaded, result });
    },
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
    async ({ c, env, db, now, params, body }) =>
      runInstruction({
        env,
        db,
        now,
        origin: c.req.url,
        instructionId: params.instruction_id,
        nodeId: body.controller_id,
      }),
  ),
  write(
    {
      ...base,
      method: 'post',
      path: '/v1/instructions/:instruction_id/cancel',
      summary: 'Cancel what has not begun; what runs on its host is told to end, and its result says how it ended',
      roles: PEOPLE,
      body: InstructionCancelBodySchema,
      data: InstructionSchema,
      errors: ['instruction_not_found', 'already_finished'],
    },
    async ({ env, db, now, principal, params, body }) => {
      const loaded = await readInstruction(db, params.instruction_id);
      const { row } = loaded;
      if (!isOpenStatus(row.status)) throw new AppError('already_finished', `this instruction is ${row.status}`);
      const detail = { by: principal.subject, ...(body.reason === undefined ? {} : { reason: body.reason }) };
      const plan = cancelInstruction(env, db, loaded, detail, now);
      const ends = row.status !== 'running' || row.command_id !== null;
      const response = ends ? { ...row, status: 'canceled', finished_at: now, updated_at: now } : row;
      return { ...plan, subject_id: row.instruction_id, response: InstructionSchema.parse(response) };
    },
  ),
  write(
    {
      ...base,
      method: 'post',
      path: '/v1/instructions/:instruction_id/output',
      summary: 'What its holder has seen it print so far',
      roles: NODES,
      body: InstructionOutputBodySchema,
      data: InstructionOutputResponseSchema,
    },
    async ({ db, now, params, body }) => appendOutput(db, params.instruction_id, body, now),
  ),
  write(
    {
      ...base,
      method: 'post',
      path: '/v1/instructions/:instruction_id/approve',
      summary: 'Let it run, exactly as it was shown; its holder has it from now on',
      roles: PEOPLE,
      body: ApproveBodySchema,
      data: InstructionSchema,
      errors: ['instruction_not_found', 'conflict', 'already_finished', 'system_paused'],
    },
    async ({ env, db, now, principal, params, body }) => {
      const loaded = await readInstruction(db, params.instruction_id);
      requireAwaiting(loaded, body.approval_hash);
      const plan = approveInstruction(env, db, loaded, principal.subject, now);
      const response = InstructionSchema.parse({ ...loaded.row, status: 'claimed', updated_at: now });
      return { ...plan, subject_id: params.instruction_id, response };
    },
  ),
  write(
    {
      ...base,
      method: 'post',
      path: '/v1/instructions/:instruction_id/deny',
      summary: 'Do not let it run; what waited behind it goes on',
      roles: PEOPLE,
      body: DenyBodySchema,
      data: InstructionSchema,
      errors: ['instruction_not_found', 'conflict', 'already_finished'],
    },
    async ({ env, db, now, principal, params, body }) => {
      const loaded = await readInstruction(db, params.instruction_id);
      requireAwaiting(loaded, body.approval_hash);
      const decision = { decision: 'denied', by: principal.subject, reason: body.reason } as const;
      const plan = endApproval(env, db, loaded, decision, now);
      const response = InstructionSchema.parse({ ...loaded.row, status: 'denied', finished_at: now, updated_at: now });
      return { ...plan, subject_id: params.instruction_id, response };
    },
  ),
];

/** Instructions: their state and story, and what their holder and people do with them. */
import { and, eq } from 'drizzle-orm';
import { z } from 'zod';
import { nodeHub } from '../../durable-objects/stubs.ts';
import { idSchema, PageQuerySchema, pageOf } from '../../schema/contracts/common.ts';
import {
  InstructionDetailSchema,
  InstructionResultAnswerSchema,
  InstructionResultBodySchema,
  InstructionRunAnswerSchema,
  InstructionRunBodySchema,
  InstructionSchema,
  InstructionStateSchema,
  StartedAnswerSchema,
  StartedBodySchema,
} from '../../schema/contracts/instructions.ts';
import { begin, isOpen } from '../../schema/domain/instruction-machine.ts';
import { AppError } from '../../schema/errors.ts';
import { instructions as instructionRows } from '../../schema/tables/index.ts';
import { endInstruction, readInstruction } from '../instruction-end.ts';
import { storeResult } from '../instruction-result.ts';
import { runInstruction } from '../instruction-run.ts';
import { requireOwn } from '../ownership.ts';
import { equals } from '../queries/filters.ts';
import { claimExpiresInMs, guardStanding, storeStanding } from '../queries/instructions.ts';
import { instructionDetail, listInstructions } from '../queries/messages.ts';
import type { MountedRoute } from '../route.ts';
import { NODES, PEOPLE, READERS, read, write } from '../route.ts';

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
        equals(instructionRows.status, status),
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
      data: StartedAnswerSchema,
    },
    async ({ db, now, params, body }) => {
      const { row, standing } = await readInstruction(db, params.instruction_id);
      requireOwn(body.controller_id, row);
      const starts = row.status === 'claimed';
      const after = starts ? begin(standing, row.instruction_id, now) : standing;
      const own = after.find((one) => one.instruction_id === row.instruction_id) ?? row;
      return {
        guards: [guardStanding(db, row.message_id, standing)],
        statements: starts
          ? [
              ...storeStanding(db, standing, after, { controller_id: row.controller_id, detail: {}, now }),
              db
                .update(instructionRows)
                .set({ started_at: now })
                .where(eq(instructionRows.instruction_id, row.instruction_id)),
            ]
          : [],
        events: starts ? [{ topic: 'instructions', type: 'started', subject_id: row.instruction_id }] : [],
        subject_id: row.instruction_id,
        answer: {
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
      data: InstructionResultAnswerSchema,
    },
    async ({ c, env, db, now, params, body }) => {
      const ground = await readInstruction(db, params.instruction_id);
      requireOwn(body.controller_id, ground.row);
      const { controller_id: _holder, ...result } = body;
      return storeResult({ env, db, now, origin: c.req.url, ground, result });
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
      data: InstructionRunAnswerSchema,
      errors: [...base.errors, 'conflict'],
    },
    async ({ c, env, db, now, params, body }) =>
      runInstruction({
        env,
        db,
        now,
        origin: c.req.url,
        instructionId: params.instruction_id,
        controllerId: body.controller_id,
      }),
  ),
  write(
    {
      ...base,
      method: 'post',
      path: '/v1/instructions/:instruction_id/cancel',
      summary: 'Cancel an instruction that has not begun',
      roles: PEOPLE,
      body: z.strictObject({}),
      data: InstructionDetailSchema.omit({ events: true }),
      errors: ['instruction_not_found', 'conflict', 'already_finished'],
    },
    async ({ env, db, now, principal, params }) => {
      const ground = await readInstruction(db, params.instruction_id);
      const { row } = ground;
      if (row.status === 'running') throw new AppError('conflict', 'this instruction has begun on its host');
      if (!isOpen(row.status)) throw new AppError('already_finished', `this instruction is ${row.status}`);
      const detail = { by: principal.subject };
      const { settled, ...plan } = endInstruction(
        env,
        db,
        ground,
        { to: 'canceled', controller_id: null, detail },
        now,
      );
      const own = settled.standing.find((one) => one.instruction_id === row.instruction_id);
      return {
        ...plan,
        subject_id: row.instruction_id,
        answer: InstructionSchema.parse({
          ...row,
          status: 'canceled',
          finished_at: now,
          updated_at: now,
          gate: own?.gate,
        }),
        after: async () => {
          await plan.after();
          const ids = ground.rows.map((one) => one.instruction_id);
          await nodeHub(env, row.controller_id).push(row.controller_id, {
            type: 'changed',
            topic: 'instructions',
            ids,
          });
        },
      };
    },
  ),
];

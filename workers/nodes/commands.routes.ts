/** Commands over HTTP: those that wait for a node without a socket, its receipts, and its results. */
import { z } from 'zod';
import {
  CommandIdSchema,
  CommandListResponseSchema,
  CommandResultBodySchema,
  CommandResultResponseSchema,
  ReceiptsBodySchema,
  ReceiptsResponseSchema,
} from '../../schema/contracts/commands.ts';
import { ControllerIdSchema, PageQuerySchema } from '../../schema/contracts/common.ts';
import { AppError } from '../../schema/errors.ts';
import { requireOwn } from '../auth/ownership.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, read, write } from '../http/route.ts';
import { endRefused } from '../instructions/run-on-other-node.ts';
import { findCommand, listPending } from './command-reads.ts';
import { applyResult } from './command-results.ts';
import { noteReceipts } from './commands.ts';
import { noteContact } from './push.ts';

export const commands: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path: '/v1/controllers/:controller_id/commands',
      summary: 'Commands that wait for that node, oldest first',
      tag: 'controllers',
      roles: NODES,
      params: z.object({ controller_id: ControllerIdSchema }),
      query: PageQuerySchema.extend({ after: CommandIdSchema.optional() }),
      data: CommandListResponseSchema,
    },
    async ({ c, env, db, now, params: { controller_id }, query }) => {
      c.executionCtx.waitUntil(noteContact(env, controller_id));
      return listPending(db, controller_id, now, query);
    },
  ),
  write(
    {
      method: 'post',
      path: '/v1/controllers/:controller_id/receipts',
      summary: 'Report which commands a node without a channel has accepted or refused',
      tag: 'controllers',
      roles: NODES,
      params: z.object({ controller_id: ControllerIdSchema }),
      body: ReceiptsBodySchema,
      data: ReceiptsResponseSchema,
    },
    async (call) => {
      const { c, env, db, now, body, params } = call;
      return {
        statements: [noteReceipts(call, params.controller_id, body.receipts)],
        subject_id: params.controller_id,
        response: { receipts: body.receipts.length },
        after: () => endRefused(env, { db, now, waitUntil: (work) => c.executionCtx.waitUntil(work) }, body.receipts),
      };
    },
  ),
  write(
    {
      method: 'post',
      path: '/v1/commands/:command_id/result',
      summary: 'Report the result of a command',
      tag: 'controllers',
      roles: NODES,
      params: z.object({ command_id: CommandIdSchema }),
      body: CommandResultBodySchema,
      data: CommandResultResponseSchema,
      errors: ['command_not_found', 'not_owner'],
    },
    async (call) => {
      const { c, db, params, body } = call;
      const command = await findCommand(db, params.command_id);
      if (command === undefined) throw new AppError('command_not_found', `there is no command ${params.command_id}`);
      requireOwn(body.controller_id, command);
      return applyResult(call, command, body.result, c.req.url);
    },
  ),
];

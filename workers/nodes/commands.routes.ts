/** Commands over HTTP: those that wait for a node without a socket, its receipts, and its results. */
import { z } from 'zod';
import type { CommandKind } from '../../schema/contracts/commands.ts';
import {
  COMMAND_BODIES,
  COMMAND_RESULTS,
  CommandIdSchema,
  CommandListResponseSchema,
  CommandResultBodySchema,
  CommandResultResponseSchema,
  ReceiptsBodySchema,
  ReceiptsResponseSchema,
} from '../../schema/contracts/commands.ts';
import { ControllerIdSchema, PageQuerySchema } from '../../schema/contracts/common.ts';
import { AppError } from '../../schema/errors.ts';
import type { CommandRow } from '../../schema/tables/index.ts';
import { applyAskResult } from '../asks/result.ts';
import { requireOwn } from '../auth/ownership.ts';
import type { Edge, Plan, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { parse } from '../http/parse.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, read, write } from '../http/route.ts';
import { failRefused, finishFromOtherNode } from '../instructions/remote-result.ts';
import { applyDeliveryResponse } from '../renewal/delivery-outcome.ts';
import { applyNoticeResult } from '../tasks/notices.ts';
import { requireAdmitted } from './boots.ts';
import { findCommand, listPending } from './command-reads.ts';
import { finishCommand, noteReceipts } from './commands.ts';
import { noteContact } from './push.ts';

/** A command with its result. */
interface Finished<K extends CommandKind> {
  edge: Edge;
  command_id: string;
  /** The node that ran it. */
  controller_id: string;
  body: z.output<(typeof COMMAND_BODIES)[K]>;
  result: z.output<(typeof COMMAND_RESULTS)[K]>;
}

/** What the result of each kind changes; a kind without a row here does not compile. */
const RESULTS: { [K in CommandKind]: (finished: Finished<K>) => Promise<Plan> } = {
  delivery: ({ edge, body, result }) => applyDeliveryResponse(edge, body, result, Math.random()),
  'delivery.query': ({ edge, body, result }) => applyDeliveryResponse(edge, body, result, Math.random()),
  instruction: async (finished) => {
    const { edge, body, result, controller_id } = finished;
    if (body.requested_by === 'person') return reportBrowserCall(finished);
    // A call through MCP is claimed with a request of its own, and so is its result.
    if (body.requested_by === 'mcp') return {};
    return finishFromOtherNode(edge, body.instruction_id, { result, reportedBy: controller_id });
  },
  // The result stays with the command, where the requester finds it.
  'instruction.cancel': async () => ({}),
  'approval.decided': async () => ({}),
  'message.resubmit': async () => ({}),
  'browser.read': async () => ({}),
  'client.resume': async () => ({}),
  // What these lead to is reported by the run.
  'step.offer': async () => ({}),
  'step.cancel': async () => ({}),
  'task.notice': ({ edge, body, result }) => applyNoticeResult(edge, body, result, Math.random()),
  'conversation.ask': ({ edge, command_id, body, result }) => applyAskResult(edge, { ...body, command_id }, result),
};

/** A person has sent something into a browser directly: the outcome is an event. */
function reportBrowserCall({ command_id, controller_id, result }: Finished<'instruction'>): Plan {
  const { status, error_code = null } = result;
  const data = { status, error_code, controller_id };
  return { events: [{ topic: 'clients', type: 'sent', subject_id: command_id, data }] };
}

function resultPlan<K extends CommandKind>(edge: Edge, kind: K, command: CommandRow, result: unknown): Promise<Plan> {
  const { command_id, controller_id } = command;
  return RESULTS[kind]({
    edge,
    command_id,
    controller_id,
    body: COMMAND_BODIES[kind].parse(command.body) as Finished<K>['body'],
    result: parse(COMMAND_RESULTS[kind], result, 'result') as Finished<K>['result'],
  });
}

/** Stores the result of a command and what it changes; a second result changes nothing. */
async function applyResult(
  edge: Edge,
  command: CommandRow,
  result: Record<string, unknown>,
): Promise<WritePlan<z.input<typeof CommandResultResponseSchema>>> {
  const { command_id, kind, status } = command;
  const changes = await resultPlan(edge, kind, command, result);
  if (status === 'done') return { response: { command_id, status } };
  return {
    ...mergePlans({ statements: [finishCommand(edge, command_id, result)] }, changes),
    subject_id: command_id,
    response: { command_id, status: 'done' },
  };
}

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
      errors: ['duplicate_node'],
    },
    async ({ c, env, db, now, params: { controller_id }, query }) => {
      await requireAdmitted({ c, env }, controller_id);
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
      const { c, body, params } = call;
      return {
        statements: [noteReceipts(call, params.controller_id, body.receipts)],
        subject_id: params.controller_id,
        response: { receipts: body.receipts.length },
        after: () =>
          failRefused(call, { receipts: body.receipts, waitUntil: (work) => c.executionCtx.waitUntil(work) }),
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
      const { db, params, body } = call;
      const command = await findCommand(db, params.command_id);
      if (command === undefined) throw new AppError('command_not_found', `there is no command ${params.command_id}`);
      requireOwn(body.controller_id, command);
      return applyResult(call, command, body.result);
    },
  ),
];

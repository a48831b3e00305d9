/** Commands without a socket: what waits for a node, and what it answers. */
import { z } from 'zod';
import { nodeHub } from '../../durable-objects/stubs.ts';
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
import { requireOwn } from '../auth/ownership.ts';
import type { Database } from '../db/open.ts';
import type { Plan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, parse, read, write } from '../http/route.ts';
import { readInstruction } from '../instructions/finish.ts';
import { endRefused, finishFromOtherNode } from '../instructions/run-on-other-node.ts';
import { runBestEffort } from '../log.ts';
import { settleDelivery } from '../renewal/delivery-outcome.ts';
import { findCommand, finishCommand, listPending, noteReceipts } from './commands.ts';

interface Answered<K extends CommandKind> {
  env: Env;
  db: Database;
  now: number;
  /** Where the API was reached, for links to artifacts. */
  origin: string;
  command_id: string;
  /** The node that answers. */
  controller_id: string;
  body: z.output<(typeof COMMAND_BODIES)[K]>;
  result: z.output<(typeof COMMAND_RESULTS)[K]>;
}
type Outcome = Promise<Plan>;

/** What an answer means, by the kind of command: a kind without a row here does not compile. */
const OUTCOMES: { [K in CommandKind]: (answered: Answered<K>) => Outcome } = {
  delivery: ({ body, result, ...rest }) => settleDelivery({ ...rest, ...plan(body), response: result }),
  'delivery.query': ({ body, result, ...rest }) => settleDelivery({ ...rest, ...plan(body), response: result }),
  instruction: (answered) => (answered.body.instruction_id === answered.command_id ? sent(answered) : done(answered)),
  'instruction.cancel': keptAsTold,
  'approval.decided': keptAsTold,
  'message.resubmit': keptAsTold,
  'browser.read': keptAsTold,
  'client.resume': keptAsTold,
};

/** Nothing follows: the answer stays on the command for whoever asked. */
async function keptAsTold(): Outcome {
  return { statements: [] };
}

/** What another node's browser did for an instruction ends it. */
async function done({ env, db, now, origin, controller_id, body, result }: Answered<'instruction'>): Outcome {
  const loaded = await readInstruction(db, body.instruction_id);
  return finishFromOtherNode({ env, db, now, origin, loaded, result, by: controller_id });
}

/** What a person sent into a browser directly: whoever follows the events learns what became of it. */
async function sent({ command_id, controller_id, result }: Answered<'instruction'>): Outcome {
  const { status, error_code = null } = result;
  const data = { status, error_code, controller_id };
  return { events: [{ topic: 'clients', type: 'sent', subject_id: command_id, data }] };
}

function plan({ job_id, plan_id }: { job_id: string; plan_id: string }) {
  return { job_id, plan_id, random: Math.random() };
}

function outcomeOf<K extends CommandKind>(
  kind: K,
  command: { body: unknown; result: unknown } & Omit<Answered<K>, 'body' | 'result'>,
): Outcome {
  const body = COMMAND_BODIES[kind].parse(command.body) as Answered<K>['body'];
  const result = parse(COMMAND_RESULTS[kind], command.result, 'result') as Answered<K>['result'];
  return OUTCOMES[kind]({ ...command, body, result });
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
    },
    async ({ c, env, db, now, params: { controller_id }, query }) => {
      c.executionCtx.waitUntil(
        runBestEffort('record_contact', () => nodeHub(env, controller_id).recordContact(controller_id)),
      );
      return listPending(db, controller_id, now, query);
    },
  ),
  write(
    {
      method: 'post',
      path: '/v1/controllers/:controller_id/receipts',
      summary: 'Which commands that node has taken or refused, when it has no channel to say so',
      tag: 'controllers',
      roles: NODES,
      params: z.object({ controller_id: ControllerIdSchema }),
      body: ReceiptsBodySchema,
      data: ReceiptsResponseSchema,
    },
    async ({ c, env, db, now, params: { controller_id }, body: { receipts } }) => ({
      statements: [noteReceipts(db, controller_id, receipts, now)],
      subject_id: controller_id,
      response: { receipts: receipts.length },
      after: () => endRefused(env, { db, now, waitUntil: (work) => c.executionCtx.waitUntil(work) }, receipts),
    }),
  ),
  write(
    {
      method: 'post',
      path: '/v1/commands/:command_id/result',
      summary: 'What became of a command',
      tag: 'controllers',
      roles: NODES,
      params: z.object({ command_id: CommandIdSchema }),
      body: CommandResultBodySchema,
      data: CommandResultResponseSchema,
      errors: ['command_not_found', 'not_owner'],
    },
    async ({ c, env, db, now, params, body }) => {
      const command = await findCommand(db, params.command_id);
      if (command === undefined) throw new AppError('command_not_found', `there is no command ${params.command_id}`);
      requireOwn(body.controller_id, command);
      const { command_id, kind } = command;
      const outcome = await outcomeOf(kind, {
        env,
        db,
        now,
        origin: c.req.url,
        command_id,
        controller_id: command.controller_id,
        body: command.body,
        result: body.result,
      });
      if (command.status === 'done') return { response: { command_id, status: command.status } };
      return {
        ...mergePlans({ statements: [finishCommand(db, command_id, body.result, now)] }, outcome),
        subject_id: command_id,
        response: { command_id, status: 'done' as const },
      };
    },
  ),
];

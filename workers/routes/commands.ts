/** Commands without a socket: what waits for a node, and what it answers. */
import { z } from 'zod';
import type { CommandKind } from '../../schema/contracts/commands.ts';
import {
  COMMAND_BODIES,
  COMMAND_RESULTS,
  CommandIdSchema,
  CommandListAnswerSchema,
  CommandResultAnswerSchema,
  CommandResultBodySchema,
} from '../../schema/contracts/commands.ts';
import { ControllerIdSchema, PageQuerySchema } from '../../schema/contracts/common.ts';
import { AppError } from '../../schema/errors.ts';
import type { Database } from '../db.ts';
import { readInstruction } from '../instruction-end.ts';
import { storeResult } from '../instruction-result.ts';
import { requireOwn } from '../ownership.ts';
import { findCommand, finishCommand, listPending } from '../queries/commands.ts';
import { settleDelivery } from '../renewal-outcome.ts';
import type { MountedRoute } from '../route.ts';
import { NODES, parse, read, write } from '../route.ts';

interface Answered<K extends CommandKind> {
  env: Env;
  db: Database;
  now: number;
  /** Where the API was reached, for links to artifacts. */
  origin: string;
  body: z.output<(typeof COMMAND_BODIES)[K]>;
  result: z.output<(typeof COMMAND_RESULTS)[K]>;
}
type Outcome = ReturnType<typeof settleDelivery>;

/** What an answer means, by the kind of command: a kind without a row here does not compile. */
const OUTCOMES: { [K in CommandKind]: (answered: Answered<K>) => Outcome } = {
  delivery: ({ body, result, ...rest }) => settleDelivery({ ...rest, ...plan(body), answer: result }),
  'delivery.query': ({ body, result, ...rest }) => settleDelivery({ ...rest, ...plan(body), answer: result }),
  instruction: async ({ env, db, now, origin, body, result }) => {
    const ground = await readInstruction(db, body.instruction_id);
    const { answer: _answer, guards = [], events = [], after = async () => undefined, ...stored } = await storeResult({
      env,
      db,
      now,
      origin,
      ground,
      result,
    });
    return { guards, events, after, statements: stored.statements };
  },
  'instruction.cancel': keptAsTold,
  'approval.decided': keptAsTold,
  'message.resubmit': keptAsTold,
  'browser.read': keptAsTold,
  'client.resume': keptAsTold,
};

/** Nothing follows: the answer stays on the command for whoever asked. */
async function keptAsTold(): Promise<Awaited<Outcome>> {
  return { guards: [], statements: [], events: [], after: async () => undefined };
}

function plan({ job_id, plan_id }: { job_id: string; plan_id: string }) {
  return { job_id, plan_id, random: Math.random() };
}

function outcomeOf<K extends CommandKind>(
  kind: K,
  command: { body: unknown; result: unknown; env: Env; db: Database; now: number; origin: string },
): Outcome {
  const { env, db, now, origin } = command;
  const body = COMMAND_BODIES[kind].parse(command.body) as Answered<K>['body'];
  const result = parse(COMMAND_RESULTS[kind], command.result, 'result') as Answered<K>['result'];
  return OUTCOMES[kind]({ env, db, now, origin, body, result });
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
      data: CommandListAnswerSchema,
    },
    async ({ db, now, params, query }) => listPending(db, params.controller_id, now, query),
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
      data: CommandResultAnswerSchema,
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
        body: command.body,
        result: body.result,
      });
      if (command.status === 'done') return { statements: [], answer: { command_id, status: command.status } };
      return {
        ...outcome,
        statements: [finishCommand(db, command_id, body.result, now), ...outcome.statements],
        subject_id: command_id,
        answer: { command_id, status: 'done' as const },
      };
    },
  ),
];

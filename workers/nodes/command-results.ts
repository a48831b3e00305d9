/** What the result of a command changes, by the kind of command. */
import type { z } from 'zod';
import type { CommandKind, CommandResultResponseSchema } from '../../schema/contracts/commands.ts';
import { COMMAND_BODIES, COMMAND_RESULTS } from '../../schema/contracts/commands.ts';
import type { CommandRow } from '../../schema/tables/index.ts';
import type { Edge, Plan, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { parse } from '../http/route.ts';
import { readInstruction } from '../instructions/finish.ts';
import { finishFromOtherNode } from '../instructions/run-on-other-node.ts';
import { applyDeliveryResponse } from '../renewal/delivery-outcome.ts';
import { finishCommand } from './commands.ts';

interface Finished<K extends CommandKind> {
  edge: Edge;
  command_id: string;
  /** The node that ran it. */
  controller_id: string;
  body: z.output<(typeof COMMAND_BODIES)[K]>;
  result: z.output<(typeof COMMAND_RESULTS)[K]>;
  /** The address at which the API was reached, for links to artifacts. */
  origin: string;
}

/** A kind without a row here does not compile. */
const RESULTS: { [K in CommandKind]: (finished: Finished<K>) => Promise<Plan> } = {
  delivery: ({ edge, body, result }) => applyDeliveryResponse(edge, body, result, Math.random()),
  'delivery.query': ({ edge, body, result }) => applyDeliveryResponse(edge, body, result, Math.random()),
  instruction: ({ body, ...rest }) =>
    body.requested_by === 'person' ? reportBrowserCall(rest) : finishInstruction(rest, body.instruction_id),
  // The result stays on the command, where the requester finds it.
  'instruction.cancel': async () => ({}),
  'approval.decided': async () => ({}),
  'message.resubmit': async () => ({}),
  'browser.read': async () => ({}),
  'client.resume': async () => ({}),
};

type FinishedBrowserCall = Omit<Finished<'instruction'>, 'body'>;

/** The browser of another node has run the instruction: that ends it. */
async function finishInstruction(
  { edge, origin, controller_id, result }: FinishedBrowserCall,
  instructionId: string,
): Promise<Plan> {
  const { env, db, now } = edge;
  const loaded = await readInstruction(db, instructionId);
  return finishFromOtherNode({ env, db, now, origin, loaded, result, by: controller_id });
}

/** A person has sent something into a browser directly: the outcome is an event. */
async function reportBrowserCall({ command_id, controller_id, result }: FinishedBrowserCall): Promise<Plan> {
  const { status, error_code = null } = result;
  const data = { status, error_code, controller_id };
  return { events: [{ topic: 'clients', type: 'sent', subject_id: command_id, data }] };
}

function planOf<K extends CommandKind>(
  edge: Edge,
  kind: K,
  command: CommandRow,
  result: Record<string, unknown>,
  origin: string,
): Promise<Plan> {
  const { command_id, controller_id } = command;
  return RESULTS[kind]({
    edge,
    command_id,
    controller_id,
    origin,
    body: COMMAND_BODIES[kind].parse(command.body) as Finished<K>['body'],
    result: parse(COMMAND_RESULTS[kind], result, 'result') as Finished<K>['result'],
  });
}

/** Stores the result of a command and what it changes; a second result changes nothing. */
export async function applyResult(
  edge: Edge,
  command: CommandRow,
  result: Record<string, unknown>,
  origin: string,
): Promise<WritePlan<z.input<typeof CommandResultResponseSchema>>> {
  const { command_id, kind, status } = command;
  const changes = await planOf(edge, kind, command, result, origin);
  if (status === 'done') return { response: { command_id, status } };
  return {
    ...mergePlans({ statements: [finishCommand(edge, command_id, result)] }, changes),
    subject_id: command_id,
    response: { command_id, status: 'done' },
  };
}

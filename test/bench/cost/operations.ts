/** What each operation of a node or of the clock makes the platform count, taken one by one on a running edge. */
import { z } from 'zod';
import { IngestResponseSchema } from '../../../schema/contracts/instructions.ts';
import type { HeartbeatBody, NodeState } from '../../../schema/contracts/nodes.ts';
import type { CountedEdge, Counts } from '../edge/counted.ts';
import { makeDue, storeJobs } from '../edge/stored-jobs.ts';
import type { outboxPost } from './bench-message.ts';
import { benchMessage, RESULT } from './bench-message.ts';

export const OPERATIONS = [
  'renew over the channel',
  'renew by HTTP',
  'refused acquire by HTTP',
  'acquire, a new term, and its tick',
  'ping over the channel',
  'connect and hello',
  'heartbeat with news',
  'heartbeat without news',
  'client state',
  'ingest of a message with one instruction',
  'the same message again',
  'report of a start',
  'report of a result',
  'outcome of a reply',
  'tick, idle',
  'tick that sends one renewal',
  'result of a delivery',
] as const;
export type Operation = (typeof OPERATIONS)[number];

const IngestedSchema = z.object({ data: IngestResponseSchema });
const CommandsSchema = z.object({ data: z.object({ items: z.array(z.object({ command_id: z.string() })) }) });
const JOBS = 100;

/** The operations of a message and what follows from it; each may be asked for once and in this order. */
async function messageOperations(
  edge: CountedEdge,
  post: ReturnType<typeof outboxPost>,
): Promise<Partial<Record<Operation, Counts>>> {
  const { conductor, leader } = edge;
  const costs: Partial<Record<Operation, Counts>> = {};
  costs['client state'] = await edge.costOf(() =>
    conductor.call(leader.token, 'PUT', `/v1/controllers/${leader.id}/clients/client-1`, {
      connected: true,
      platforms: [{ platform: 'claude', login: 'fresh', fingerprint: null, hooks: [], stopped_reason: null }],
      tabs: [{ platform: 'claude', ...benchMessage(leader.id, 0).link }],
    }),
  );
  await post('/v1/messages', { ...benchMessage(leader.id, 0), instructions: [] });
  await edge.settled();
  let ingested: unknown;
  costs['ingest of a message with one instruction'] = await edge.costOf(async () => {
    ingested = await post('/v1/messages', benchMessage(leader.id, 1));
  });
  const { message_id, instructions } = IngestedSchema.parse(ingested).data;
  const [claimed] = instructions;
  if (claimed?.status !== 'claimed') throw new Error(`the instruction was not claimed: ${JSON.stringify(ingested)}`);
  costs['the same message again'] = await edge.costOf(() => post('/v1/messages', benchMessage(leader.id, 1)));
  const report = (part: object) =>
    post(`/v1/messages/${message_id}/progress`, { items: [{ instruction_id: claimed.instruction_id, ...part }] });
  costs['report of a start'] = await edge.costOf(() => report({ started: true }));
  costs['report of a result'] = await edge.costOf(() => report({ result: RESULT }));
  const reply = { outcome: 'delivered', reason: null, attempt: 1 };
  costs['outcome of a reply'] = await edge.costOf(() => post(`/v1/messages/${message_id}/reply`, reply));
  return costs;
}

async function leaseOperations(edge: CountedEdge): Promise<Partial<Record<Operation, Counts>>> {
  const { conductor, leader, channel, term } = edge;
  const standby = await conductor.node('standby');
  const heartbeat = (status: NodeState): Promise<unknown> => {
    const body: HeartbeatBody = { controller_id: leader.id, host: leader.id, role: 'primary', priority: 100, status };
    return conductor.call(leader.token, 'POST', '/v1/controllers/heartbeat', body);
  };
  await heartbeat('standby');
  await conductor.acquire(standby, false);
  await edge.settled();
  return {
    'renew over the channel': await edge.costOf(() => conductor.renew(channel, term)),
    'renew by HTTP': await edge.costOf(() => conductor.acquire(leader)),
    'refused acquire by HTTP': await edge.costOf(() => conductor.acquire(standby, false)),
    'ping over the channel': await edge.costOf(() => channel.ask('ping')),
    'connect and hello': await edge.costOf(() => conductor.channel(standby)),
    'heartbeat with news': await edge.costOf(() => heartbeat('leader')),
    'heartbeat without news': await edge.costOf(() => heartbeat('leader')),
  };
}

async function tickOperations(edge: CountedEdge): Promise<Partial<Record<Operation, Counts>>> {
  const { conductor, leader, runtime } = edge;
  await storeJobs(runtime, JOBS, leader.id);
  await edge.cron();
  await edge.settled();
  const idle = await edge.costOf(() => edge.cron());
  await makeDue(runtime, 1, Date.now());
  const busy = await edge.costOf(() => edge.cron());
  const listed = await conductor.call(leader.token, 'GET', `/v1/controllers/${leader.id}/commands`);
  const [command] = CommandsSchema.parse(listed).data.items;
  if (!command) throw new Error('the tick sent nothing');
  const delivered = { outcome: 'delivered', reason: null, method: 'replay', http_status: 200 };
  const path = `/v1/commands/${command.command_id}/result`;
  return {
    'tick, idle': idle,
    'tick that sends one renewal': busy,
    'result of a delivery': await edge.costOf(() =>
      conductor.call(leader.token, 'POST', path, { controller_id: leader.id, result: delivered }),
    ),
  };
}

/** A new term, measured last, as the term of the edge's leader is over then. */
async function newTerm(edge: CountedEdge): Promise<Counts> {
  const { conductor, leader, term } = edge;
  await conductor.release(leader, term);
  await edge.settled();
  return edge.costWithAlarm(() => conductor.acquire(leader));
}

/** `post` writes to the stream of the messages. */
export async function measureOperations(
  edge: CountedEdge,
  post: ReturnType<typeof outboxPost>,
): Promise<Record<Operation, Counts>> {
  const lease = await leaseOperations(edge);
  // Stored jobs bring old messages along, and messages must be stored in the order of their age.
  const ticks = await tickOperations(edge);
  const ofMessages = await messageOperations(edge, post);
  const all = { ...lease, ...ofMessages, ...ticks, 'acquire, a new term, and its tick': await newTerm(edge) };
  const missing = OPERATIONS.filter((name) => all[name] === undefined);
  if (missing.length > 0) throw new Error(`not measured: ${missing.join(', ')}`);
  return all as Record<Operation, Counts>;
}

/** What each operation of a node or of the clock makes the platform count, taken one by one on a running edge. */
import { z } from 'zod';
import type { IngestBody, InstructionInput } from '../../../schema/contracts/instructions.ts';
import { IngestResponseSchema } from '../../../schema/contracts/instructions.ts';
import type { HeartbeatBody, NodeState } from '../../../schema/contracts/nodes.ts';
import type { CountedEdge, Counts } from '../edge/counted.ts';
import { makeDue, storeJobs } from '../edge/stored-jobs.ts';

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
  'instruction started',
  'instruction result',
  'tick, idle',
  'tick that sends one renewal',
  'result of a delivery',
] as const;
export type Operation = (typeof OPERATIONS)[number];

const IngestedSchema = z.object({ data: IngestResponseSchema });
const CommandsSchema = z.object({ data: z.object({ items: z.array(z.object({ command_id: z.string() })) }) });
const JOBS = 100;

const instruction: InstructionInput = {
  block_index: 0,
  index: 0,
  target: 'conductor',
  tool: 'exec',
  params: { argv: ['npm', 'test'] },
  policy: { decision: 'allow', rule: 'bench' },
};

function message(controller_id: string, number: number): IngestBody {
  return {
    controller_id,
    client_id: 'client-1',
    platform: 'claude',
    remote_conversation_id: 'talk',
    assistant_message_id: `message-${number}`,
    raw_text: 'Running the tests.\n\n```baa\n@conductor::exec::{"argv": ["npm", "test"]}\n```\n',
    role: 'assistant',
    observed_at: Date.now(),
    capture: { source: 'network', other: 'absent' },
    link: {
      remote_conversation_id: 'talk',
      page_url: 'https://claude.ai/chat/talk',
      page_title: null,
      tab_id: 1,
      shell_page: false,
      observed_at: Date.now(),
    },
    block_errors: [],
    instructions: [instruction],
  };
}

/** The operations of a message and what follows from it; each may be asked for once and in this order. */
async function messageOperations(edge: CountedEdge): Promise<Partial<Record<Operation, Counts>>> {
  const { conductor, leader } = edge;
  let sent = 0;
  // As the agent's outbox sends it: under a key that grows along its stream.
  const post = (path: string, body: object): Promise<unknown> => {
    sent += 1;
    const key = { 'idempotency-key': `bench/conv:talk/${sent}`, 'x-baa-age-ms': '5' };
    return conductor.call(leader.token, 'POST', path, { controller_id: leader.id, ...body }, key);
  };
  const costs: Partial<Record<Operation, Counts>> = {};
  costs['client state'] = await edge.costOf(() =>
    conductor.call(leader.token, 'PUT', `/v1/controllers/${leader.id}/clients/client-1`, {
      connected: true,
      platforms: [{ platform: 'claude', login: 'fresh', fingerprint: null, hooks: [], stopped_reason: null }],
      tabs: [{ platform: 'claude', ...message(leader.id, 0).link }],
    }),
  );
  await post('/v1/messages', { ...message(leader.id, 0), instructions: [] });
  await edge.settled();
  let ingested: unknown;
  costs['ingest of a message with one instruction'] = await edge.costOf(async () => {
    ingested = await post('/v1/messages', message(leader.id, 1));
  });
  const [claimed] = IngestedSchema.parse(ingested).data.instructions;
  if (claimed?.status !== 'claimed') throw new Error(`the instruction was not claimed: ${JSON.stringify(ingested)}`);
  costs['the same message again'] = await edge.costOf(() => post('/v1/messages', message(leader.id, 1)));
  const path = `/v1/instructions/${claimed.instruction_id}`;
  costs['instruction started'] = await edge.costOf(() => post(`${path}/started`, {}));
  const result = { status: 'succeeded', output: 'ok', exit_code: 0, duration_ms: 5, truncated: false };
  costs['instruction result'] = await edge.costOf(() => post(`${path}/result`, result));
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

export async function measureOperations(edge: CountedEdge): Promise<Record<Operation, Counts>> {
  const lease = await leaseOperations(edge);
  // Stored jobs bring old messages along, and messages must be stored in the order of their age.
  const ticks = await tickOperations(edge);
  const ofMessages = await messageOperations(edge);
  const all = { ...lease, ...ofMessages, ...ticks, 'acquire, a new term, and its tick': await newTerm(edge) };
  const missing = OPERATIONS.filter((name) => all[name] === undefined);
  if (missing.length > 0) throw new Error(`not measured: ${missing.join(', ')}`);
  return all as Record<Operation, Counts>;
}

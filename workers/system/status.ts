/** The snapshot of `GET /v1/status`. Each part reads a bounded number of rows over an index, however many are stored. */
import { desc } from 'drizzle-orm';
import type { Status } from '../../schema/contracts/status.ts';
import { StatusSchema } from '../../schema/contracts/status.ts';
import { clients, instructions, messages, nodes, ticks } from '../../schema/tables/index.ts';
import { contractColumns } from '../db/columns.ts';
import type { Edge } from '../db/plan.ts';
import { marked } from '../db/readable.ts';
import { liveRunsOf, presenceOf } from '../nodes/presence.ts';
import { readQueue } from '../renewal/job-reads.ts';
import { countTasks } from '../tasks/counts.ts';
import { listTasks } from '../tasks/task-reads.ts';
import { readSystem } from './state.ts';

const RECENT = 20;
const MEMBERS_MAX = 200;
const {
  ticks: TicksSchema,
  recent_messages: MessagesSchema,
  recent_instructions: InstructionsSchema,
} = StatusSchema.shape;

export async function readStatus(edge: Edge): Promise<Status> {
  const { env, db, now } = edge;
  const [
    { system, lease },
    renewal,
    tasks,
    recentTasks,
    nodeRows,
    clientRows,
    tickRows,
    recent_messages,
    recent_instructions,
  ] = await Promise.all([
    readSystem(edge),
    readQueue(db, now),
    countTasks(db),
    listTasks(db, { limit: RECENT }),
    db.select().from(nodes).orderBy(nodes.controller_id).limit(MEMBERS_MAX),
    db.select().from(clients).orderBy(clients.client_id).limit(MEMBERS_MAX),
    db.select(contractColumns(ticks, TicksSchema.element)).from(ticks).orderBy(desc(ticks.tick_seq)).limit(RECENT),
    db
      .select(contractColumns(messages, MessagesSchema.element))
      .from(messages)
      .orderBy(desc(messages.ingest_seq))
      .limit(RECENT),
    db
      .select(contractColumns(instructions, InstructionsSchema.element))
      .from(instructions)
      .orderBy(desc(instructions.instruction_id))
      .limit(RECENT),
  ]);
  const nodeIds = nodeRows.map((row) => row.controller_id);
  const [presence, liveRuns] = await Promise.all([presenceOf(env, nodeIds), liveRunsOf(db, nodeIds)]);
  return {
    system,
    lease,
    nodes: nodeRows.map((row) => ({
      ...marked(row),
      presence: presence(row.controller_id),
      live_runs: liveRuns(row.controller_id),
    })),
    clients: clientRows.map(marked),
    renewal,
    tasks,
    recent_tasks: recentTasks.items,
    ticks: tickRows,
    recent_messages,
    recent_instructions,
  };
}

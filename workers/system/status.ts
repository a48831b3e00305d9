/**
 * The snapshot behind `GET /v1/status`. Each part reads at most a screenful over an index, whatever is stored: counts
 * stop at COUNT_MAX, lists at RECENT.
 */
import { desc, sql } from 'drizzle-orm';
import type { Status } from '../../schema/contracts/status.ts';
import { StatusSchema } from '../../schema/contracts/status.ts';
import { clients, instructions, messages, nodes, ticks } from '../../schema/tables/index.ts';
import { contractColumns } from '../db/columns.ts';
import type { Database } from '../db/open.ts';
import { presenceOf } from '../nodes/presence.ts';
import { readSystem } from './state.ts';

const RECENT = 20;
const MEMBERS_MAX = 200;
const COUNT_MAX = 1_000;
const {
  ticks: TicksSchema,
  recent_messages: MessagesSchema,
  recent_instructions: InstructionsSchema,
} = StatusSchema.shape;

export async function readStatus(env: Env, db: Database, now: number): Promise<Status> {
  const [{ system, lease }, renewal, nodeRows, clientRows, tickRows, recent_messages, recent_instructions] =
    await Promise.all([
      readSystem(env, db, now),
      readRenewal(db, now),
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
  const presence = await presenceOf(
    env,
    nodeRows.map((row) => row.controller_id),
  );
  return {
    system,
    lease,
    nodes: nodeRows.map((row) => ({ ...row, presence: presence(row.controller_id) })),
    clients: clientRows,
    renewal,
    ticks: tickRows,
    recent_messages,
    recent_instructions,
  };
}

/** Depth of the renewal queue, from its partial indexes. */
export async function readRenewal(db: Database, now: number): Promise<Status['renewal']> {
  return db.get<Status['renewal']>(sql`SELECT
    (SELECT count(*) FROM (SELECT 1 FROM renewal_jobs WHERE status = 'pending' LIMIT ${COUNT_MAX})) AS pending,
    (SELECT count(*) FROM (SELECT 1 FROM renewal_jobs WHERE status = 'running' LIMIT ${COUNT_MAX})) AS running,
    (SELECT count(*) FROM (SELECT 1 FROM renewal_jobs WHERE status = 'pending' AND next_attempt_at <= ${now}
      LIMIT ${COUNT_MAX})) AS due,
    (SELECT next_attempt_at FROM renewal_jobs WHERE status = 'pending' AND next_attempt_at IS NOT NULL
      ORDER BY next_attempt_at LIMIT 1) AS next_due_at`);
}

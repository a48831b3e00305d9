/**
 * Reads what `GET /v1/metrics` shows: counters that only grow, numbers of newest rows, and open rows over their partial
 * indexes, each counted up to a limit. A scrape reads the same few rows however many are stored.
 */
import { desc, gt, sql } from 'drizzle-orm';
import type { PlatformState } from '../../schema/contracts/clients.ts';
import { BROWSERS, OPEN_COUNT_MAX } from '../../schema/defaults.ts';
import { clients } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import type { Edge } from '../db/plan.ts';
import { OPEN_SQL } from '../db/status-sql.ts';
import { storedJson } from '../db/stored-json.ts';
import { presenceOf } from '../nodes/presence.ts';
import { readQueue } from '../renewal/job-reads.ts';
import { countTasks } from '../tasks/counts.ts';
import { readTotals } from './counters.ts';
import type { Facts } from './metric.ts';
import { readSystem } from './state.ts';

const MEMBERS_MAX = 200;
export async function readFacts(edge: Edge): Promise<Facts> {
  const { db, now } = edge;
  const [{ system, lease }, queue, tasks, instructions, newest, nodes, browsers, counts] = await Promise.all([
    readSystem(edge),
    readQueue(db, now),
    countTasks(db),
    countInstructions(db),
    db.get<Facts['newest']>(sql`SELECT coalesce((SELECT max(ingest_seq) FROM messages), 0) AS messages,
      coalesce((SELECT max(seq) FROM event_batches), 0) AS events, coalesce((SELECT max(seq) FROM audit), 0) AS writes,
      coalesce((SELECT max(tick_seq) FROM ticks), 0) AS ticks`),
    readNodes(edge),
    readBrowsers(edge),
    readTotals(db),
  ]);
  return { now, system, lease, queue, tasks, instructions, newest, nodes, browsers, counts };
}

async function countInstructions(db: Database): Promise<Facts['instructions']> {
  const rows = await db.all<{ status: string; count: number }>(sql`SELECT status, count(*) AS count FROM (
    SELECT status FROM instructions WHERE status ${OPEN_SQL} AND watched IN (0, 1) LIMIT ${OPEN_COUNT_MAX}) GROUP BY status`);
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}

async function readNodes({ env, db }: Edge): Promise<Facts['nodes']> {
  const metadata = storedJson(sql`metadata`, '{}');
  const rows = await db.all<{ controller_id: string; depth: unknown; refused: unknown }>(sql`SELECT controller_id,
    ${metadata}->>'outbox_depth' AS depth, ${metadata}->>'outbox_refused' AS refused
    FROM nodes ORDER BY controller_id LIMIT ${MEMBERS_MAX}`);
  const presence = await presenceOf(
    env,
    rows.map((node) => node.controller_id),
  );
  const number = (value: unknown) => (typeof value === 'number' ? value : null);
  return rows.map(({ controller_id, depth, refused }) => ({
    controller_id,
    connected: presence(controller_id).connected,
    depth: number(depth),
    refused: number(refused),
  }));
}

/** Browsers that were heard of lately: one that was removed from its machine would stay stopped for ever. */
async function readBrowsers({ db, now }: Edge): Promise<Facts['browsers']> {
  const { client_id, platforms, updated_at } = clients;
  const rows = await db
    .select({ client_id, platforms })
    .from(clients)
    .where(gt(updated_at, now - BROWSERS.counted_ms))
    .orderBy(desc(updated_at))
    .limit(MEMBERS_MAX);
  return rows.flatMap((browser) => browser.platforms.map((platform) => ofPlatform(browser.client_id, platform)));
}

function ofPlatform(client_id: string, { platform, stopped_reason, slots }: PlatformState): Facts['browsers'][number] {
  const breaker = slots?.breaker;
  return { client_id, platform, stopped_reason, breaker: typeof breaker === 'string' ? breaker : null };
}

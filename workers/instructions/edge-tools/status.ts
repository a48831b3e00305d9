/** `conductor::status`: mode, leader, nodes and queue lengths, in a few lines of JSON. */
import { sql } from 'drizzle-orm';
import { leaderLease } from '../../../durable-objects/stubs.ts';
import { HTTP } from '../../../schema/defaults.ts';
import { fence, nodes } from '../../../schema/tables/index.ts';
import type { Edge } from '../../db/plan.ts';
import type { EdgeToolHandler } from './tool.ts';

/** A queue is counted up to this length, so that a long one costs no more. */
const COUNTED = 1_000;

/** Mode, leader, nodes and queue lengths. */
export async function systemReport({ env, db, now }: Edge) {
  const lease = await leaderLease(env).read();
  const [fences, known, queues] = await db.batch([
    db.select({ mode: fence.mode, mode_version: fence.mode_version }).from(fence),
    db
      .select({ controller_id: nodes.controller_id, host: nodes.host, status: nodes.status })
      .from(nodes)
      .limit(HTTP.list_limit_max),
    db.all<{ pending: number; running: number; due: number }>(sql`SELECT
      (SELECT count(*) FROM (SELECT 1 FROM renewal_jobs WHERE status = 'pending' LIMIT ${COUNTED})) AS pending,
      (SELECT count(*) FROM (SELECT 1 FROM renewal_jobs WHERE status = 'running' LIMIT ${COUNTED})) AS running,
      (SELECT count(*) FROM (SELECT 1 FROM renewal_jobs
        WHERE status = 'pending' AND next_attempt_at <= ${now} LIMIT ${COUNTED})) AS due`),
  ]);
  return {
    ...fences[0],
    leader: { holder_id: lease.holder_id, term: lease.term },
    nodes: known,
    renewal: queues[0],
  };
}

export const status: EdgeToolHandler<'conductor::status'> = async (_params, context) => {
  const { automation_status, pause_reason } = context.conversation;
  const report = { ...(await systemReport(context)), conversation: { automation_status, pause_reason } };
  return { output: JSON.stringify(report, null, 2) };
};

/** Whether nodes can be reached now, as the hubs know it, and node rows with that and their browsers. */
import { eq, sql } from 'drizzle-orm';
import { allHubs } from '../../durable-objects/stubs.ts';
import type { LiveRun, Node, NodeView, Presence } from '../../schema/contracts/nodes.ts';
import { runs, steps, tasks } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import { marked } from '../db/readable.ts';
import { LIVE_RUN_SQL } from '../db/task-sql.ts';
import { browsersOfNodes } from './browser-reads.ts';

const NO_CONTACT: Presence = { connected: false, contact_age_ms: null };

/** Presence of these nodes. One call per hub, however many nodes; none without nodes. */
export async function presenceOf(env: Env, nodeIds: string[]): Promise<(nodeId: string) => Presence> {
  if (nodeIds.length === 0) return () => NO_CONTACT;
  const responses = await Promise.all(allHubs(env).map((hub) => hub.presence(nodeIds)));
  return (nodeId) =>
    responses
      .flatMap((response) => response[nodeId] ?? [])
      .reduce(
        (best, next) => (next.connected || (next.contact_age_ms !== null && !best.connected) ? next : best),
        NO_CONTACT,
      );
}

/** Runs that are read at most, of all nodes of a page. */
const MAX_RUNS = 1_000;

/** Adds presence, browsers and live runs to node rows. */
export async function viewNodes(env: Env, db: Database, rows: readonly Node[]): Promise<NodeView[]> {
  const ids = rows.map((row) => row.controller_id);
  const [presence, browsers, live] = await Promise.all([
    presenceOf(env, ids),
    browsersOfNodes(db, ids),
    liveRunsOf(db, ids),
  ]);
  return rows.map((row) => ({
    ...marked(row),
    presence: presence(row.controller_id),
    clients: browsers.filter((browser) => browser.controller_id === row.controller_id).map(marked),
    live_runs: live(row.controller_id),
  }));
}

/** The runs that these nodes have under way. */
export async function liveRunsOf(db: Database, nodeIds: readonly string[]): Promise<(nodeId: string) => LiveRun[]> {
  if (nodeIds.length === 0) return () => [];
  const { run_id, task_id, step_id, controller_id, status, progress, created_at } = runs;
  const found = await db
    .select({
      controller_id,
      run: { run_id, task_id, step_id, task_title: tasks.title, step_name: steps.name, status, progress, created_at },
    })
    .from(runs)
    .innerJoin(steps, eq(steps.step_id, step_id))
    .innerJoin(tasks, eq(tasks.task_id, task_id))
    .where(
      sql`${controller_id} IN (SELECT value FROM json_each(${JSON.stringify(nodeIds)})) AND ${runs.status} ${LIVE_RUN_SQL}`,
    )
    .limit(MAX_RUNS);
  return (nodeId) => found.filter((row) => row.controller_id === nodeId).map(({ run }) => run);
}

/** A node without a socket polls every few seconds, after failures every half minute. */
const IN_CONTACT_MS = 60_000;

/** `in_contact`: without a live socket, but polling for its commands. `away`: neither. */
export type Reach = 'connected' | 'in_contact' | 'away';

/** How the nodes behind those links can be reached now. */
export async function reachOf(
  env: Env,
  links: readonly { controller_id: string }[],
): Promise<(nodeId: string) => Reach> {
  const presence = await presenceOf(env, [...new Set(links.map((link) => link.controller_id))]);
  return (nodeId) => {
    const { connected, contact_age_ms } = presence(nodeId);
    if (connected) return 'connected';
    return contact_age_ms !== null && contact_age_ms <= IN_CONTACT_MS ? 'in_contact' : 'away';
  };
}

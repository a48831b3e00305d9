/** Nodes as stored rows, and what a heartbeat changes. */
import { eq } from 'drizzle-orm';
import type { HeartbeatBody, Node } from '../../schema/contracts/nodes.ts';
import { nodes } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import type { Edge, WritePlan } from '../db/plan.ts';

export async function findNode(db: Database, nodeId: string): Promise<Node | undefined> {
  return db.select().from(nodes).where(eq(nodes.controller_id, nodeId)).get();
}

/** Registers a node, or stores the state that it reports. */
export async function recordHeartbeat({ db, now }: Edge, heartbeat: HeartbeatBody): Promise<WritePlan<Node>> {
  const { controller_id, host, role, status, version = null, metadata = {}, started_at = null } = heartbeat;
  const before = await findNode(db, controller_id);
  const node: Node = {
    ...heartbeat,
    version,
    metadata,
    started_at,
    last_heartbeat_at: now,
    draining: before?.draining ?? false,
    created_at: before?.created_at ?? now,
  };
  const { controller_id: _key, created_at: _created, draining: _persons, ...set } = node;
  const isNews = before === undefined || before.status !== status || before.version !== version;
  const event = { topic: 'nodes', type: before === undefined ? 'registered' : 'changed' } as const;
  return {
    statements: [db.insert(nodes).values(node).onConflictDoUpdate({ target: nodes.controller_id, set })],
    events: isNews ? [{ ...event, subject_id: controller_id, data: { host, role, status, version } }] : [],
    subject_id: controller_id,
    // Any other heartbeat changes only its own time, which the row has.
    audited: isNews,
    response: node,
  };
}

/** What the Durable Objects may ask of the Worker, so that no object queries D1 itself (the fence apart). */
import { WorkerEntrypoint } from 'cloudflare:workers';
import type { Command, Receipt } from '../schema/contracts/commands.ts';
import type { AlarmTickResult, EdgeBackendApi } from '../schema/contracts/objects.ts';
import type { TickGrant } from '../schema/contracts/ticks.ts';
import { openDatabase, runBatch } from './db/open.ts';
import { endRefused } from './instructions/run-on-other-node.ts';
import { noteReceipts, pendingCommands } from './nodes/commands.ts';
import { dueWithNode } from './renewal/jobs.ts';
import { runAlarmTick } from './timed-jobs/run-tick.ts';
import { tellNextDue } from './timed-jobs/ticks.ts';

export class EdgeBackend extends WorkerEntrypoint<Env> implements EdgeBackendApi {
  alarmTick(grant: TickGrant): Promise<AlarmTickResult> {
    return runAlarmTick(this.env, grant, Date.now());
  }

  /** Asked at a node's hello: what waited for it to come back is due. */
  async pendingCommands(nodeId: string): Promise<Command[]> {
    const db = openDatabase(this.env.DB);
    const now = Date.now();
    const woken = await dueWithNode(db, nodeId, now);
    if (woken.meta.changes > 0) await tellNextDue(this.env, db);
    return pendingCommands(db, nodeId, now);
  }

  async receipts(nodeId: string, receipts: Receipt[]): Promise<void> {
    const db = openDatabase(this.env.DB);
    const now = Date.now();
    await runBatch(db, [noteReceipts(db, nodeId, receipts, now)]);
    await endRefused(this.env, { db, now, waitUntil: (work) => this.ctx.waitUntil(work) }, receipts);
  }
}

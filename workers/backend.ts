/** The entrypoint through which the Durable Objects call the Worker, so that they query D1 only for the fence. */
import { WorkerEntrypoint } from 'cloudflare:workers';
import type { Command, Receipt } from '../schema/contracts/commands.ts';
import type { EdgeBackendApi } from '../schema/contracts/objects.ts';
import type { TickResponse, TickTrigger } from '../schema/contracts/ticks.ts';
import { openDatabase, runBatch } from './db/open.ts';
import { failRefused } from './instructions/remote-result.ts';
import { noteReceipts, pendingCommands } from './nodes/commands.ts';
import { dueWithNode } from './renewal/jobs.ts';
import { runTick } from './timed-jobs/run-tick.ts';
import { tellNextDue } from './timed-jobs/ticks.ts';

export class EdgeBackend extends WorkerEntrypoint<Env> implements EdgeBackendApi {
  tick(trigger: TickTrigger): Promise<TickResponse> {
    return runTick(this.env, { trigger, scheduledTime: null, now: Date.now() });
  }

  /** Called at a node's hello. Also makes the jobs due that waited for this node. */
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
    await failRefused({ env: this.env, db, now }, { receipts, waitUntil: (work) => this.ctx.waitUntil(work) });
  }
}

/** The entrypoint through which the Durable Objects call the Worker, so that they query D1 only for the fence. */
import { WorkerEntrypoint } from 'cloudflare:workers';
import type { Command, Receipt } from '../schema/contracts/commands.ts';
import type { AlarmTickResult, EdgeBackendApi } from '../schema/contracts/objects.ts';
import type { TickGrant } from '../schema/contracts/ticks.ts';
import { openDatabase, runBatch } from './db/open.ts';
import type { Edge } from './db/plan.ts';
import { storeMeter } from './db/store-meter.ts';
import { failRefused } from './instructions/remote-result.ts';
import { pendingCommands } from './nodes/command-reads.ts';
import { noteReceipts } from './nodes/commands.ts';
import { armNextTick } from './renewal/next-due.ts';
import { wakeJobsOfNode } from './renewal/wake-jobs.ts';
import { runAlarmTick } from './timed-jobs/run-tick.ts';

export class EdgeBackend extends WorkerEntrypoint<Env> implements EdgeBackendApi {
  async alarmTick(grant: TickGrant): Promise<AlarmTickResult> {
    const result = await runAlarmTick(this.env, grant, Date.now());
    this.ctx.waitUntil(storeMeter(this.env, Date.now()));
    return result;
  }

  /** Called at a node's hello: jobs that waited for its return become due. */
  async pendingCommands(nodeId: string): Promise<Command[]> {
    const edge = this.#edge();
    const woken = await wakeJobsOfNode(edge, nodeId);
    if (woken.meta.changes > 0) await armNextTick(edge);
    return pendingCommands(edge.db, nodeId, edge.now);
  }

  async receipts(nodeId: string, receipts: Receipt[]): Promise<void> {
    const edge = this.#edge();
    await runBatch(edge.db, [noteReceipts(edge, nodeId, receipts)]);
    await failRefused(edge, { receipts, waitUntil: (work) => this.ctx.waitUntil(work) });
  }

  #edge(): Edge {
    return { env: this.env, db: openDatabase(this.env.DB), now: Date.now() };
  }
}

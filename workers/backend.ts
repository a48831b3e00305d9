/** What the Durable Objects may ask of the Worker, so that no object queries D1 itself (the fence apart). */
import { WorkerEntrypoint } from 'cloudflare:workers';
import type { Command, Receipt } from '../schema/contracts/commands.ts';
import type { EdgeBackendApi } from '../schema/contracts/objects.ts';
import type { TickAnswer, TickTrigger } from '../schema/contracts/ticks.ts';
import { runTick } from './cron/run-tick.ts';
import { openDatabase } from './db.ts';
import { pendingCommands, recordReceipts } from './queries/commands.ts';

export class EdgeBackend extends WorkerEntrypoint<Env> implements EdgeBackendApi {
  tick(trigger: TickTrigger): Promise<TickAnswer> {
    return runTick(this.env, { trigger, scheduledTime: null, now: Date.now() });
  }

  pendingCommands(controllerId: string): Promise<Command[]> {
    return pendingCommands(openDatabase(this.env.DB), controllerId, Date.now());
  }

  async receipts(controllerId: string, receipts: Receipt[]): Promise<void> {
    await recordReceipts(openDatabase(this.env.DB), controllerId, receipts, Date.now());
  }
}

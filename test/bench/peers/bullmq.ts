/** BullMQ on Redis, whose append-only file is synced at every write. */
import type { QueuePeer, QueuePeerStart } from './queue-peer.ts';
import { Handover, loadPeer } from './queue-peer.ts';
import { startRedisServer } from './redis.ts';

const TOKEN = 'bench';
const LOCK_MS = 30_000;
/** A finished job is removed, as one would have it; else the folder grows by each. */
const JOB = { removeOnComplete: true };

interface Job {
  extendLock(token: string, ms: number): Promise<number>;
  moveToCompleted(value: unknown, token: string, fetchNext: boolean): Promise<unknown>;
}
interface Queue {
  add(name: string, data: object, options: object): Promise<unknown>;
  close(): Promise<void>;
}
interface Worker {
  on(event: 'completed' | 'error', listener: (error: unknown) => void): void;
  getNextJob(token: string): Promise<Job | undefined>;
  waitUntilReady(): Promise<unknown>;
  close(force?: boolean): Promise<void>;
}
/** As much of the package as is used here: its own types are there only where it is installed. */
interface BullMq {
  Queue: new (name: string, options: object) => Queue;
  Worker: new (name: string, processor: (() => Promise<void>) | null, options: object) => Worker;
}

export const startBullMq: QueuePeerStart = async (cleanup) => {
  const bullmq = loadPeer<BullMq>('bullmq');
  if ('absent' in bullmq) return { absent: `BullMQ: ${bullmq.absent}` };
  const server = await startRedisServer(cleanup);
  if ('absent' in server) return { absent: `BullMQ: ${server.absent}` };
  const connection = { host: '127.0.0.1', port: server.port, maxRetriesPerRequest: null };
  const open = <T extends Queue | Worker>(one: T): T => cleanup.add(one, (opened) => opened.close());

  const handover = new Handover();
  let completed = Promise.withResolvers<void>();
  const waited = open(new bullmq.Queue('waited', { connection }));
  const worker = open(new bullmq.Worker('waited', async () => handover.begins(), { connection }));
  worker.on('completed', () => completed.resolve());
  worker.on('error', (error) => completed.reject(error));
  await worker.waitUntilReady();

  const byHand = open(new bullmq.Queue('by-hand', { connection }));
  const claimant = open(new bullmq.Worker('by-hand', null, { connection, lockDuration: LOCK_MS }));
  const peer: QueuePeer = {
    name: 'BullMQ',
    pickUp: () => {
      completed = Promise.withResolvers<void>();
      return handover.pickUp(() => waited.add('job', {}, JOB));
    },
    settle: async () => {
      await handover.added();
      await completed.promise;
    },
    cycle: async () => {
      await byHand.add('job', {}, JOB);
      const job = await claimant.getNextJob(TOKEN);
      if (job === undefined) throw new Error('BullMQ has no job to claim');
      await job.extendLock(TOKEN, LOCK_MS);
      await job.moveToCompleted(null, TOKEN, false);
    },
  };
  return peer;
};

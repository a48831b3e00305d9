/** The edge with what the platform bills counted around it. */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Cleanup } from '../harness/cleanup.ts';
import type { BenchNode } from './conductor.ts';
import { Conductor } from './conductor.ts';

const COUNTED_WORKER = fileURLToPath(import.meta.resolve('../../workers/bench/counted.ts'));

export const CountsSchema = z.object({
  worker_requests: z.number(),
  object_requests: z.number(),
  socket_messages: z.number(),
  d1_rows_read: z.number(),
  d1_rows_written: z.number(),
  object_rows_read: z.number(),
  object_rows_written: z.number(),
});
export type Counts = z.infer<typeof CountsSchema>;
export const COUNTED = [
  'worker_requests',
  'object_requests',
  'socket_messages',
  'd1_rows_read',
  'd1_rows_written',
  'object_rows_read',
  'object_rows_written',
] as const satisfies readonly (keyof Counts)[];

/** Work behind a response has ended when nothing was counted for that long. */
const QUIET_MS = 60;
/** The local runtime fires an alarm that is due at once some tenths of a second later. */
const ALARM_QUIET_MS = 800;

export function addCounts(a: Counts, b: Counts): Counts {
  const sum = { ...a };
  for (const name of COUNTED) sum[name] += b[name];
  return sum;
}

export function scaleCounts(a: Counts, factor: number): Counts {
  const scaled = { ...a };
  for (const name of COUNTED) scaled[name] *= factor;
  return scaled;
}

export class CountedEdge {
  readonly conductor: Conductor;
  /** Holds the lease, and its channel is open. */
  readonly leader: BenchNode;
  readonly term: number;
  readonly channel: Awaited<ReturnType<Conductor['channel']>>;
  #minute = Date.now() - (Date.now() % 60_000);

  private constructor(
    conductor: Conductor,
    leader: BenchNode,
    term: number,
    channel: Awaited<ReturnType<Conductor['channel']>>,
  ) {
    this.conductor = conductor;
    this.leader = leader;
    this.term = term;
    this.channel = channel;
  }

  static async start(cleanup: Cleanup): Promise<CountedEdge> {
    const conductor = await Conductor.start(cleanup, COUNTED_WORKER);
    const leader = await conductor.node('leader');
    const channel = await conductor.channel(leader);
    const edge = new CountedEdge(conductor, leader, await conductor.acquire(leader), channel);
    await edge.settled(ALARM_QUIET_MS);
    return edge;
  }

  get runtime() {
    return this.conductor.running.runtime;
  }

  /** What was counted since it was last asked. */
  async take(): Promise<Counts> {
    return CountsSchema.parse(await (await fetch(`${this.conductor.running.url}/bench/counts`)).json());
  }

  /** The same, when the work behind responses has ended. */
  async settled(quietMs = QUIET_MS): Promise<Counts> {
    let sum = await this.take();
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, quietMs));
      const more = await this.take();
      if (COUNTED.every((name) => more[name] === 0)) return sum;
      sum = addCounts(sum, more);
    }
  }

  /** What `act` costs, with the work behind its response. */
  async costOf(act: () => Promise<unknown>): Promise<Counts> {
    await this.take();
    await act();
    return this.settled();
  }

  /** The same, with the tick of the alarm that it sets off. */
  async costWithAlarm(act: () => Promise<unknown>): Promise<Counts> {
    await this.take();
    await act();
    return this.settled(ALARM_QUIET_MS);
  }

  /** The cron fires, at the minute after the last one. */
  async cron(): Promise<void> {
    const worker = await this.runtime.getWorker();
    this.#minute += 60_000;
    const { outcome } = await worker.scheduled({ scheduledTime: new Date(this.#minute), cron: '* * * * *' });
    if (outcome !== 'ok') throw new Error(`the cron ended with ${outcome}`);
  }

  /** The dispatcher's own query. Returns how many jobs it found. */
  async pick(now: number, limit: number): Promise<number> {
    const response = await fetch(`${this.conductor.running.url}/bench/due?now=${now}&limit=${limit}`);
    return z.object({ jobs: z.number() }).parse(await response.json()).jobs;
  }
}

/**
 * A day of two busy nodes in half an hour, on a real system as `npm start` runs it: what its processes and files take at rest, each
 * hour and at rest again, and the rows of D1 that the day took. What follows a clock of the programs comes as often as in a
 * day: the cron is fired each simulated minute, and lease renewals and pings have intervals that are as much shorter.
 */
import { loadavg } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { StatsSchema } from '../../schema/contracts/stats.ts';
import { CHANNEL, LEASE } from '../../schema/defaults.ts';
import { Chats, HOURS } from './day/chats.ts';
import { DayClock } from './day/day-clock.ts';
import { daySections } from './day/report.ts';
import type { DayRun } from './day/samples.ts';
import { sampleOf } from './day/samples.ts';
import { DaySystem } from './day/system.ts';
import type { Benchmark } from './harness/benchmark.ts';
import type { Cleanup } from './harness/cleanup.ts';
import { withCleanup } from './harness/cleanup.ts';
import { buildProgram } from './harness/npm-start.ts';

const MINUTES = 60;
/** The shortest interval that an agent accepts for its renewals: the day takes 24 times 72 s. */
const HOUR_MS = 72_000;
const SPEED = 3_600_000 / HOUR_MS;
const MESSAGES_PER_NODE = 800;
const REST_MS = 60_000;
/** How often a heap is collected, which returns memory: seldom, so that the memory of a process stays its own. */
const COLLECT_HOURS = 6;
const LISTS = ['/v1/status', '/v1/tasks', '/v1/instructions', '/v1/renewal/conversations', '/v1/stats'];
const TASK = {
  task_type: 'day',
  title: 'Three steps',
  goal: 'Print a few lines.',
  steps: ['first', 'second', 'third'].map((name) => ({ kind: 'shell', name, input: { script: 'seq 1 200' } })),
};

/** Rows of D1 since the system began, as it counts them. */
async function rowsOf(system: DaySystem): Promise<DayRun['rows']> {
  const { days } = StatsSchema.parse(await system.call('GET', '/v1/stats'));
  const sum = (of: (day: (typeof days)[number]) => number) => days.reduce((all, day) => all + of(day), 0);
  return { read: sum(({ rows_read }) => rows_read), written: sum(({ rows_written }) => rows_written) };
}

/** A page that is open all day: the stream of events, opened again whenever it ends, and its lists every ten minutes. */
async function watch(system: DaySystem, clock: DayClock, hours: number): Promise<void> {
  const over = new AbortController();
  const stream = (async () => {
    while (!over.signal.aborted) await system.readEvents(over.signal).catch(() => undefined);
  })();
  for (let look = 0; look < hours * 6; look += 1) {
    await clock.until(look / 6);
    for (const path of LISTS) await system.call('GET', path);
  }
  over.abort();
  await stream;
}

/** Each hour the browsers are started again, the second node loses its edge once, and each node gets a task. */
async function hourly(system: DaySystem, chats: readonly Chats[], clock: DayClock, hours: number): Promise<number> {
  let tasks = 0;
  for (let hour = 0; hour < hours; hour += 1) {
    await clock.until(hour + 0.3);
    for (const { id } of system.nodes) {
      await system.call('POST', '/v1/tasks', { ...TASK, constraints: { target_host: id } });
      tasks += 1;
    }
    await clock.until(hour + 0.5);
    for (const one of chats) await one.reconnect();
    await clock.until(hour + 0.7);
    system.proxy.cut('hard');
    system.proxy.heal();
  }
  return tasks;
}

async function fireCrons(system: DaySystem, clock: DayClock, hours: number): Promise<number> {
  const ticks = hours * MINUTES;
  for (let minute = 0; minute < ticks; minute += 1) {
    await clock.until(minute / MINUTES);
    await system.cron();
  }
  return ticks;
}

async function sampleHours(
  system: DaySystem,
  clock: DayClock,
  run: Pick<DayRun, 'samples' | 'loads' | 'hours'>,
): Promise<void> {
  for (let hour = 1; hour <= run.hours; hour += 1) {
    await clock.until(hour);
    run.loads.push(loadavg()[0] ?? Number.NaN);
    const sample = await sampleOf(system, hour, { collects: hour % COLLECT_HOURS === 0 });
    run.samples.push(sample);
    console.error(`hour ${hour}`);
  }
}

async function simulate(cleanup: Cleanup, quick: boolean): Promise<DayRun> {
  const hours = quick ? 1 : HOURS;
  const hourMs = quick ? HOUR_MS / 2 : HOUR_MS;
  const system = await DaySystem.start(cleanup, {
    BAA_CONDUCTOR_LEASE_RENEW_INTERVAL_MS: String(LEASE.renew_interval_ms / SPEED),
    BAA_CONDUCTOR_HEARTBEAT_INTERVAL_MS: String(CHANNEL.ping_interval_ms / SPEED),
  });
  const chats: Chats[] = [];
  for (const node of system.nodes) chats.push(cleanup.add(await Chats.open(system, node), (one) => one.close()));
  await setTimeout(quick ? 0 : REST_MS);
  const samples = [await sampleOf(system, -1, { collects: true })];
  const before = await rowsOf(system);
  const run = { samples, hours, loads: [] as number[] };
  const clock = new DayClock(hourMs);
  const [ticks, tasks] = await Promise.all([
    fireCrons(system, clock, hours),
    hourly(system, chats, clock, hours),
    ...chats.map((one) => one.work(clock, MESSAGES_PER_NODE, hours)),
    watch(system, clock, hours),
    sampleHours(system, clock, run),
  ]);
  await setTimeout(quick ? 0 : REST_MS);
  // Stored once a minute.
  const after = await rowsOf(system);
  samples.push(await sampleOf(system, hours + 1, { collects: true }));
  const rows = { read: after.read - before.read, written: after.written - before.written };
  return { ...run, chats: chats.map(({ tally }) => tally), ticks, tasks, rows };
}

export const day: Benchmark = {
  name: 'day',
  what: 'a day of two busy nodes: memory of each process, files, and rows of D1',
  run: ({ quick }) =>
    withCleanup(async (cleanup) => {
      buildProgram();
      return { sections: daySections(await simulate(cleanup, quick)), absent: [] };
    }),
};

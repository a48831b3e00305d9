/** Steps of tasks at the edge: how many a node claims and completes, and how soon new work is picked up. */
import { loadavg } from 'node:os';
import type { MinimalQueue } from './edge/task-ways.ts';
import { minimalQueue, TaskEdge } from './edge/task-ways.ts';
import type { Benchmark, BenchOptions } from './harness/benchmark.ts';
import { paceOf } from './harness/benchmark.ts';
import { withCleanup } from './harness/cleanup.ts';
import type { Measured, Role, Subject } from './harness/measure.ts';
import { interleave } from './harness/measure.ts';
import type { Goal, Section } from './harness/report.ts';
import { comparison, figure, speedGoals } from './harness/report.ts';
import { startBullMq } from './peers/bullmq.ts';
import { startGraphileWorker } from './peers/graphile-worker.ts';
import type { QueuePeer } from './peers/queue-peer.ts';

const OURS = 'step claim + complete';
const CYCLE = 'minimal D1 cycle (create, claim, heartbeat, complete)';
const PICKED = 'task created → claimed by a node that waits';
const BARE_PICKED = 'minimal D1: two requests, create and claim';
/** Of our p50 by that of the peer, at most. */
const PICK_UP_GOALS = new Map([
  ['BullMQ', 1.6],
  ['graphile-worker', 0.2],
]);

async function claims(
  edge: TaskEdge,
  minimal: MinimalQueue,
  peers: readonly QueuePeer[],
  options: BenchOptions,
): Promise<Section> {
  const subjects: Subject[] = [
    { name: OURS, role: 'ours', run: () => edge.claimAndComplete() },
    { name: CYCLE, role: 'peer', run: () => minimal.cycle() },
    ...peers.flatMap(({ name, cycle }): Subject[] =>
      cycle === undefined ? [] : [{ name: `${name}, the same cycle (for information)`, role: 'peer', run: cycle }],
    ),
  ];
  const measured = await interleave(subjects, paceOf(options));
  const goals = speedGoals(measured, OURS, [[0.8, CYCLE]]);
  return comparison('A node that claims and completes steps, one at a time', measured, { unit: 'ops/s', goals });
}

/** The table of the times until work is begun, with our median as a multiple of each other. */
function pickUpSection(measured: readonly Measured[], load: string): Section {
  const ours = measured.find(({ role }) => role === 'ours')?.p50Ms ?? Number.NaN;
  const rows = measured.map(({ name, role, p50Ms, p99Ms }) => [
    role === 'peer' ? name : `${name} (${role})`,
    figure(p50Ms),
    figure(p99Ms),
    role === 'ours' ? '' : figure(ours / p50Ms),
  ]);
  const goals = measured.flatMap(({ name, p50Ms }): Goal[] => {
    const wanted = PICK_UP_GOALS.get(name);
    if (wanted === undefined) return [];
    return [{ text: `p50 of a pick-up ÷ that of ${name}`, reached: ours / p50Ms, is: 'at most', wanted }];
  });
  return {
    title: 'New work until a waiting worker begins it, one at a time',
    head: ['', 'p50 ms', 'p99 ms', 'our p50 ÷ its p50'],
    rows,
    goals,
    notes: [`load while it was measured: ${load}`],
  };
}

/** What is picked up is completed outside the time. */
const pickUpSubject = (
  name: string,
  role: Role,
  queue: { pickUp(): Promise<void>; settle(): Promise<void> },
): Subject => ({ name, role, run: () => queue.pickUp(), afterEach: () => queue.settle() });

async function pickUps(
  edge: TaskEdge,
  minimal: MinimalQueue,
  peers: readonly QueuePeer[],
  options: BenchOptions,
): Promise<Section> {
  const before = loadavg()[0] ?? Number.NaN;
  const subjects = [
    pickUpSubject(PICKED, 'ours', edge),
    ...peers.map((peer) => pickUpSubject(peer.name, 'peer', peer)),
    pickUpSubject(BARE_PICKED, 'floor', minimal),
  ];
  const measured = await interleave(subjects, paceOf(options));
  return pickUpSection(measured, `${figure(before)} to ${figure(loadavg()[0] ?? Number.NaN)}`);
}

export const steps: Benchmark = {
  name: 'steps',
  what: 'steps claimed and completed, and how soon new work is picked up',
  run: (options) =>
    withCleanup(async (cleanup) => {
      const edge = await TaskEdge.start(cleanup);
      const minimal = await minimalQueue(cleanup);
      const started = [await startBullMq(cleanup), await startGraphileWorker(cleanup)];
      const peers = started.flatMap((peer) => ('absent' in peer ? [] : [peer]));
      const first = await claims(edge, minimal, peers, options);
      await edge.listen(cleanup);
      return {
        sections: [first, await pickUps(edge, minimal, peers, options)],
        absent: started.flatMap((peer) => ('absent' in peer ? [peer.absent] : [])),
      };
    }),
};

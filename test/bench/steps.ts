/** Steps of tasks at the edge: how many a node claims and completes, and how soon new work is picked up. */
import { minimalCycle, TaskEdge } from './edge/task-ways.ts';
import type { Benchmark, BenchOptions } from './harness/benchmark.ts';
import { paceOf } from './harness/benchmark.ts';
import { withCleanup } from './harness/cleanup.ts';
import type { Subject } from './harness/measure.ts';
import { interleave } from './harness/measure.ts';
import type { Section } from './harness/report.ts';
import { comparison, speedGoals } from './harness/report.ts';

const OURS = 'step claim + complete';
const CYCLE = 'minimal D1 cycle (create, claim, heartbeat, complete)';
const ABSENT = ['BullMQ', 'graphile-worker'].map(
  (name) => `${name}: its npm package is no dependency of this repository`,
);

async function claims(edge: TaskEdge, cycle: () => Promise<void>, options: BenchOptions): Promise<Section> {
  const subjects: Subject[] = [
    { name: OURS, role: 'ours', run: () => edge.claimAndComplete() },
    { name: CYCLE, role: 'peer', run: cycle },
  ];
  const measured = await interleave(subjects, paceOf(options));
  const goals = speedGoals(measured, OURS, [[0.8, CYCLE]]);
  return comparison('A node that claims and completes steps, one at a time', measured, { unit: 'ops/s', goals });
}

async function pickUps(edge: TaskEdge, options: BenchOptions): Promise<Section> {
  const picked: Subject = { name: 'task created → claimed', role: 'ours', run: () => edge.pickUp() };
  const measured = await interleave([picked], paceOf(options));
  return comparison('New work picked up by a connected node', measured, { unit: 'ops/s' });
}

export const steps: Benchmark = {
  name: 'steps',
  what: 'steps claimed and completed, and how soon new work is picked up',
  run: (options) =>
    withCleanup(async (cleanup) => {
      const edge = await TaskEdge.start(cleanup);
      const first = await claims(edge, await minimalCycle(cleanup), options);
      await edge.listen(cleanup);
      return { sections: [first, await pickUps(edge, options)], absent: ABSENT };
    }),
};

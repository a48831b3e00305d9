/**
 * What `npm start` costs: seconds to its ready line, processor time until then, and the memory of each process at rest.
 * First on an empty root, which gets its database and tokens, then on the same root again.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Benchmark } from './harness/benchmark.ts';
import { withCleanup } from './harness/cleanup.ts';
import { AGENT, buildProgram, nameOf, npmStart } from './harness/npm-start.ts';
import type { ProcessFigures } from './harness/processes.ts';
import { processTree } from './harness/processes.ts';
import type { Goal, Section } from './harness/report.ts';
import { figure } from './harness/report.ts';

const REST_MS = 30_000;
const GOALS = { readySeconds: 3, agentMb: 90, allMb: 500 };

interface Start {
  readySeconds: number;
  atReady: ProcessFigures[];
  atRest: ProcessFigures[];
}

function startOn(root: string, restMs: number): Promise<Start> {
  return withCleanup(async (cleanup) => {
    const { pid, readySeconds } = await npmStart(cleanup, root);
    const atReady = processTree(pid, nameOf);
    await wait(restMs);
    return { readySeconds, atReady, atRest: processTree(pid, nameOf) };
  });
}

const sum = (processes: ProcessFigures[], of: (one: ProcessFigures) => number): number =>
  processes.reduce((all, one) => all + of(one), 0);

function section(title: string, { readySeconds, atReady, atRest }: Start, restMs: number): Section {
  const row = (name: string, cpuSeconds: number, rest: ProcessFigures[]) => [
    name,
    figure(cpuSeconds),
    ...[({ rssMb }: ProcessFigures) => rssMb, ({ pssMb }: ProcessFigures) => pssMb].map((of) => figure(sum(rest, of))),
  ];
  const rows = atReady.map(({ name, cpuSeconds }) =>
    row(
      name,
      cpuSeconds,
      atRest.filter((one) => one.name === name),
    ),
  );
  const all = row(
    'all of these',
    sum(atReady, ({ cpuSeconds }) => cpuSeconds),
    atRest,
  );
  const agent = atRest.filter(({ name }) => name === AGENT);
  const memory: Goal[] = [
    { text: 'agent, Pss, MB', reached: sum(agent, ({ pssMb }) => pssMb), is: 'at most', wanted: GOALS.agentMb },
    { text: 'all, Pss, MB', reached: sum(atRest, ({ pssMb }) => pssMb), is: 'at most', wanted: GOALS.allMb },
  ];
  return {
    title: `${title}: ready after ${figure(readySeconds)} s`,
    head: ['', 'CPU until ready, s', 'RSS, MB', 'Pss, MB'],
    rows: atReady.length === 0 ? [['all of these', '–', '–', '–']] : [...rows, all],
    goals: [
      { text: 'ready, s', reached: readySeconds, is: 'at most', wanted: GOALS.readySeconds },
      ...(agent.length === 0 ? [] : memory),
    ],
    notes: [`Memory ${figure(restMs / 1_000)} s after the ready line.`],
  };
}

export const startUp: Benchmark = {
  name: 'start-up',
  what: 'npm start: time until it is ready, processor time, and memory at rest',
  run: ({ quick }) =>
    withCleanup(async (cleanup) => {
      buildProgram();
      const root = cleanup.folder();
      const restMs = quick ? 0 : REST_MS;
      const first = section('an empty root', await startOn(root, restMs), restMs);
      const again = section('the same root again', await startOn(root, restMs), restMs);
      const isLinux = process.platform === 'linux';
      return {
        sections: [first, again],
        absent: isLinux ? [] : ['processor time and memory of each process: read from /proc, which only Linux has'],
      };
    }),
};

/**
 * kill -9 of agents, runners, children, all of these together, and the edge, at random moments of tasks on two hosts. Each
 * round has every kind of kill and one hand-over; in every fourth round a host also stays dead until the other one has taken
 * its step over. CONTRIBUTING.md says how to run more rounds.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProcessesNow } from '../../local-agent/worker-runner/find-processes.ts';
import { queryOf } from '../../local-agent/worker-runner/left-behind.ts';
import { RunEventSchema } from '../../schema/contracts/run-files.ts';
import type { Run } from '../../schema/contracts/runs.ts';
import { isLiveRun } from '../../schema/domain/run-machine.ts';
import { Random } from '../fuzz/random.ts';
import type { TestNode } from '../support/cluster.ts';
import { Cluster, until } from '../support/cluster.ts';
import type { Kill, KilledTask } from '../support/kill-rounds.ts';
import { KILLS, KillRounds } from '../support/kill-rounds.ts';

const MINUTE_MS = 60_000;
const ROUNDS = Number(process.env.CONDUCTOR_KILL_ROUNDS ?? 2);
const SEED = Number(process.env.CONDUCTOR_KILL_SEED ?? 1);
const ROUND_WITH_TAKE_OVER = 4;

let cluster: Cluster;
let hosts: TestNode[];
const random = new Random(SEED);
let rounds: KillRounds;

beforeAll(async () => {
  cluster = await Cluster.start();
  hosts = await Promise.all(['host-a', 'host-b'].map((name) => cluster.node(name)));
  await Promise.all(hosts.map((host) => host.start()));
  rounds = new KillRounds(cluster, hosts, random);
}, 2 * MINUTE_MS);
afterAll(async () => {
  await rounds?.endAll();
  await cluster?.stop();
});

const someLines = () => [30 + random.below(60), 10 + random.below(40)];

/** Every kind of kill and a hand-over in a random order, during tasks that are addressed to a host and tasks that are not. */
async function killsInAnyOrder(): Promise<KilledTask[]> {
  const [a, b] = hosts;
  const places = [a?.id, b?.id, undefined, undefined];
  const tasks = await Promise.all(places.map((host) => rounds.create(someLines(), host === undefined ? {} : { host })));
  await rounds.working(random.pick(tasks));
  const acts: (Kill | 'hand_over')[] = [...KILLS, 'hand_over'];
  while (acts.length > 0) {
    const [act] = acts.splice(random.below(acts.length), 1);
    if (act === 'hand_over') tasks.push(await rounds.handedOver());
    else if (act !== undefined) await rounds.kill(act, tasks);
  }
  return tasks;
}

/** The agent of a step dies and stays dead; its runner holds the deadline. It comes back when the other host has the step. */
async function takeOver(): Promise<KilledTask> {
  const task = await rounds.create([6_000], { again: 20 });
  const first = await rounds.working(task);
  const host = hosts.find(({ id }) => id === first.controller_id) as TestNode;
  await rounds.killAgent(host);
  await rounds.kill('edge', [task]);
  await until(async () => (await rounds.detail(task))?.runs.some(({ controller_id }) => controller_id !== host.id));
  await rounds.start(host);
  rounds.count('take-overs');
  return task;
}

/** The runs of a task never overlap: once another has begun, nothing of the one before writes. Each begins once. */
function expectOneAtATime(task: KilledTask): void {
  const journal = rounds.journal(task);
  const turns = journal.map(({ runId }) => runId).filter((runId, n, all) => runId !== all[n - 1]);
  expect(turns, 'turns of runs').toEqual([...new Set(turns)]);
  const begins = journal.filter(({ did }) => did.startsWith('begins')).map(({ runId }) => runId);
  expect(begins, 'starts of runs').toEqual(turns);
}

/** The lines that the step has noted in its journal; the last one may have been printed only. */
function expectNoted(task: KilledTask, run: Run, text: string): void {
  const lines = text.split('\n').slice(0, -1);
  expect(lines, 'numbered lines').toEqual(lines.map((_, n) => `line-${n + 1}`));
  const noted = rounds.journal(task).filter(({ runId, did }) => runId === run.run_id && did.startsWith('line-'));
  expect([lines.length, lines.length - 1], 'lines of the log').toContain(noted.length);
  rounds.count('lines', lines.length);
}

async function expectWhole(task: KilledTask, run: Run): Promise<void> {
  expect(isLiveRun(run.status), `${run.run_id} is ${run.status}`).toBe(false);
  const folder = rounds.folderOf(run);
  const logs = { stdout: await rounds.log(run, 'stdout'), lifecycle: await rounds.log(run, 'lifecycle') };
  rounds.count(`runs ${run.status}`);
  if (folder === null) return expect(logs).toEqual({ stdout: '', lifecycle: '' });
  // A host that was taken over ends its run by itself when it comes back.
  await until(async () => !isLiveRun(rounds.state(folder).status));
  const file = (name: string) => readFileSync(join(folder, name), 'utf8');
  const isTakenOver = rounds.state(folder).error_code === 'stale_run';
  const ofFile = { stdout: file('stdout.log'), lifecycle: file('worker.log') };
  const kept = {
    stdout: ofFile.stdout.slice(0, logs.stdout.length),
    lifecycle: ofFile.lifecycle.slice(0, logs.lifecycle.length),
  };
  expect(logs, 'what the edge has of the logs').toEqual(isTakenOver ? kept : ofFile);
  expectNoted(task, run, ofFile.stdout);
  const events = file('events.jsonl').split('\n').slice(0, -1);
  for (const event of events) RunEventSchema.parse(JSON.parse(event));
  expect(ofFile.lifecycle.split('\n'), 'lines of worker.log').toHaveLength(events.length + 1);
  await until(async () => findProcessesNow(queryOf(null, run.run_id)).length === 0);
}

async function expectSound(task: KilledTask): Promise<void> {
  const { status, steps, runs } = await rounds.ended(task);
  expect(status).toBe('done');
  expectOneAtATime(task);
  for (const run of runs) await expectWhole(task, run);
  for (const { run_id } of steps) {
    const run = runs.find((one) => one.run_id === run_id);
    expect(rounds.journal(task).filter(({ runId, did }) => runId === run?.run_id && did === 'ends')).toHaveLength(1);
  }
}

describe('kill -9 at random moments, on two hosts', () => {
  it.for(Array.from({ length: ROUNDS }, (_, n) => n + 1))(
    'leaves every state whole, no run open, no process, no line lost or doubled, and no step on two hosts (round %i)',
    { timeout: 10 * MINUTE_MS },
    async (round) => {
      const tasks = await killsInAnyOrder();
      if (round % ROUND_WITH_TAKE_OVER === 0) tasks.push(await takeOver());
      for (const task of tasks) await expectSound(task);
      const counts = [...rounds.counts].map(([what, count]) => `${what} ${count}`).join(', ');
      process.stdout.write(`seed ${SEED}, after round ${round}: ${counts}\n`);
    },
  );
});

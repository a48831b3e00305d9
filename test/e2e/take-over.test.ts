/** kill -9 of a host's agent in a step: the other host continues from the last patch, and the first one reports nothing more. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findProcessesNow } from '../../local-agent/worker-runner/find-processes.ts';
import { queryOf } from '../../local-agent/worker-runner/left-behind.ts';
import type { Checkpoint } from '../../schema/contracts/runs.ts';
import type { TaskDetail } from '../../schema/contracts/tasks.ts';
import type { TestNode } from '../support/cluster.ts';
import { Cluster, until } from '../support/cluster.ts';
import { newRepo, runGit } from '../support/git-repo.ts';

const MINUTE_MS = 60_000;

let cluster: Cluster;
let hosts: TestNode[];
let starts: string;

beforeAll(async () => {
  cluster = await Cluster.start();
  hosts = await Promise.all(['host-a', 'host-b'].map((name) => cluster.node(name)));
  const { root } = cluster.stack.layout;
  starts = join(root, 'starts');
  const repo = newRepo(join(root, 'repo'));
  writeFileSync(join(repo, 'tracked.txt'), 'as it was\n');
  runGit(repo, 'add', '-A');
  runGit(repo, 'commit', '--quiet', '-m', 'A tracked file');
  for (const host of hosts) {
    writeFileSync(join(host.root, 'config.toml'), `[repos]\napp = ${JSON.stringify(repo)}\n`);
    await host.start();
  }
}, 2 * MINUTE_MS);
afterAll(() => cluster?.stop());

it('a step whose host dies continues on the other one, byte for byte, and never runs on both at once', async () => {
  // Each host writes down when it begins and when it still works.
  const script = `echo "$BAA_RUN_ID begins" >> ${starts}
if [ -e new.bin ]; then od -An -tx1 new.bin; cat tracked.txt; exit 0; fi
printf '\\000\\377\\n' > new.bin; echo changed > tracked.txt; echo untracked > new.txt
while :; do echo "$BAA_RUN_ID works" >> ${starts}; sleep 0.2; done`;
  const { task_id } = await cluster.call<{ task_id: string }>('POST', '/v1/tasks', {
    task_type: 'shell',
    title: 'a take-over',
    goal: 'A take-over.',
    repo: 'app',
    base_ref: 'main',
    constraints: { takeover_after_ms: MINUTE_MS },
    steps: [{ kind: 'shell', name: 'work', input: { script } }],
  });
  const detail = () => cluster.call<TaskDetail>('GET', `/v1/tasks/${task_id}`);
  const first = await until(async () => (await detail()).runs.find(({ status }) => status === 'running'));
  await until(async () => {
    const { items } = await cluster.call<{ items: Checkpoint[] }>('GET', `/v1/runs/${first.run_id}/checkpoints`);
    return items.some(({ type, size }) => type === 'git_diff' && size > 0);
  });
  const dead = hosts.find(({ id }) => id === first.controller_id);
  await dead?.end('SIGKILL');
  const task = await until(async () => {
    const found = await detail();
    return found.status === 'done' || found.status === 'failed' ? found : null;
  });
  expect(task.runs.map(({ status }) => status)).toEqual(['lost', 'succeeded']);
  const [, second] = task.runs;
  expect(second?.controller_id).not.toBe(first.controller_id);
  const headers = { authorization: `Bearer ${cluster.operatorToken}` };
  const log = await fetch(`${cluster.stack.edgeUrl}/v1/runs/${second?.run_id}/logs`, { headers });
  expect(await log.text()).toBe(' 00 ff 0a\nchanged\n');
  // The runner of the dead host ended its step before the other host began.
  const lines = readFileSync(starts, 'utf8').trim().split('\n');
  const begins = lines.indexOf(`${second?.run_id} begins`);
  expect(lines.slice(begins).filter((line) => line.startsWith(first.run_id))).toEqual([]);
  expect(findProcessesNow(queryOf(null, first.run_id))).toEqual([]);
  await dead?.start();
  const statePath = join(dead?.root ?? '', 'runs', task_id, first.run_id, 'state.json');
  await until(async () => JSON.parse(readFileSync(statePath, 'utf8')).error_code === 'stale_run');
  const after = await detail();
  expect(after.runs).toEqual(task.runs);
});

/** Tasks on two hosts with the real edge: steps in a real repository, the log while it grows, and work that moves. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { findProcessesNow } from '../../local-agent/worker-runner/find-processes.ts';
import { queryOf } from '../../local-agent/worker-runner/left-behind.ts';
import type { InstructionDetailSchema } from '../../schema/contracts/instructions.ts';
import type { TaskDetail } from '../../schema/contracts/tasks.ts';
import { block, openBrowser } from '../support/browser.ts';
import type { TestNode } from '../support/cluster.ts';
import { Cluster, until } from '../support/cluster.ts';
import { newRepo, runGit } from '../support/git-repo.ts';
import type { TestBrowser } from '../support/test-browser.ts';

const MINUTE_MS = 60_000;
type InstructionDetail = z.infer<typeof InstructionDetailSchema>;

let cluster: Cluster;
let hosts: TestNode[];
let repo: string;

beforeAll(async () => {
  cluster = await Cluster.start({ BAA_TIMED_JOBS_SETTLE_DELAY_MS: '300' });
  hosts = await Promise.all(['host-a', 'host-b'].map((name) => cluster.node(name)));
  repo = newRepo(join(cluster.stack.layout.root, 'repo'));
  const vanishes = newRepo(vanishing());
  for (const host of hosts) {
    runGit(repo, 'clone', '--quiet', repo, cloneOf(host));
    const repos = { app: repo, own: cloneOf(host), gone: join(host.root, 'no-such-folder'), vanishes };
    const lines = Object.entries(repos).map(([name, path]) => `${name} = ${JSON.stringify(path)}\n`);
    writeFileSync(join(host.root, 'config.toml'), `[repos]\n${lines.join('')}`);
    await host.start();
  }
}, 2 * MINUTE_MS);
afterAll(() => cluster?.stop());

const vanishing = () => join(cluster.stack.layout.root, 'vanishes');
const cloneOf = ({ root }: Pick<TestNode, 'root'>) => join(root, 'clone');

function create(body: object): Promise<{ task_id: string }> {
  return cluster.call('POST', '/v1/tasks', { task_type: 'shell', title: 'a test', goal: 'A test.', ...body });
}

const detail = (taskId: string) => cluster.call<TaskDetail>('GET', `/v1/tasks/${taskId}`);

function taskIs(taskId: string, ...statuses: string[]): Promise<TaskDetail> {
  return until(async () => {
    const task = await detail(taskId);
    return statuses.includes(task.status) ? task : null;
  });
}

/** The log of a task, followed until the edge closes it. */
async function follow(taskId: string): Promise<string> {
  const headers = { authorization: `Bearer ${cluster.operatorToken}` };
  const response = await fetch(`${cluster.stack.edgeUrl}/v1/tasks/${taskId}/logs?follow=1`, { headers });
  return response.text();
}

const step = (name: string, script: string, more: object = {}) => ({ kind: 'shell', name, input: { script }, ...more });

describe('a task', () => {
  it('runs its steps in a repository, one after the other, and merges what they left', async () => {
    const steps = [
      step('change', 'echo hello > hello.txt; echo changed'),
      { kind: 'test', name: 'check', input: { script: 'grep -q hello hello.txt && echo "Tests: 1 passed, 1 total"' } },
      { kind: 'git', name: 'commit', input: { action: 'commit', message: 'Greet' } },
      { kind: 'git', name: 'merge', input: { action: 'merge', into: 'main' } },
    ];
    const { task_id } = await create({ repo: 'app', base_ref: 'main', steps });
    const log = await follow(task_id);
    const task = await taskIs(task_id, 'done');
    expect(log).toContain('changed\n');
    expect(log).toContain('Tests: 1 passed, 1 total\n');
    expect(task.steps.map(({ status, attempt }) => [status, attempt])).toEqual(Array(4).fill(['done', 1]));
    expect(task.runs.map(({ status, exit_code }) => [status, exit_code])).toEqual(Array(4).fill(['succeeded', 0]));
    expect(runGit(repo, 'show', 'main:hello.txt')).toBe('hello');
    const [first] = task.runs;
    const host = hosts.find(({ id }) => id === first?.controller_id);
    const folder = join(host?.root ?? '', 'runs', task_id, first?.run_id ?? '');
    expect(JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8'))).toMatchObject({ status: 'succeeded' });
    expect(readdirSync(join(folder, 'checkpoints'))[0]).toBe('0001-summary.json');
  });

  it('that is addressed to a host runs there, whether it leads or not', async () => {
    for (const { id } of hosts) {
      const { task_id } = await create({ steps: [step('where', 'true')], constraints: { target_host: id } });
      const task = await taskIs(task_id, 'done');
      expect(task.runs.map((run) => run.controller_id)).toEqual([id]);
    }
  });

  it('that is canceled leaves no process', async () => {
    const { task_id } = await create({ steps: [step('long', 'setsid sleep 600 & sleep 600')] });
    const run = await until(async () => (await detail(task_id)).runs.find(({ status }) => status === 'running'));
    await cluster.call('POST', `/v1/tasks/${task_id}/cancel`, {});
    await taskIs(task_id, 'canceled');
    expect(findProcessesNow(queryOf(null, run.run_id))).toEqual([]);
  });

  it('that is handed over continues on the other host, byte for byte', async () => {
    const script = `if [ -e new.bin ]; then od -An -tx1 new.bin; cat tracked.txt; exit 0; fi
printf '\\000\\377\\n' > new.bin; echo changed > tracked.txt; echo waits; sleep 600`;
    writeFileSync(join(repo, 'tracked.txt'), 'as it was\n');
    runGit(repo, 'add', 'tracked.txt');
    runGit(repo, 'commit', '--quiet', '-m', 'A tracked file');
    const { task_id } = await create({ repo: 'app', base_ref: 'main', steps: [step('move', script)] });
    const first = await until(async () => (await detail(task_id)).runs.find(({ status }) => status === 'running'));
    const from = hosts.find(({ id }) => id === first.controller_id);
    await until(async () =>
      readFileSync(join(from?.root ?? '', 'runs', task_id, first.run_id, 'stdout.log'), 'utf8').includes('waits'),
    );
    await cluster.call('POST', `/v1/tasks/${task_id}/hand-over`, {});
    const task = await taskIs(task_id, 'done', 'failed');
    expect(task.runs.map(({ status, error_code }) => [status, error_code])).toEqual([
      ['lost', 'handed_over'],
      ['succeeded', null],
    ]);
    expect(task.runs[1]?.controller_id).not.toBe(first.controller_id);
    expect(await follow(task_id)).toContain(' 00 ff 0a\nchanged\n');
  });
});

describe('a task whose repository is not there', () => {
  it('fails and says so, from its first step on', async () => {
    const { task_id } = await create({ repo: 'gone', steps: [step('never', 'true')] });
    expect(await taskIs(task_id, 'failed')).toMatchObject({
      error_code: 'worktree_failed',
      error_text: expect.stringContaining('the repository gone is missing'),
    });
  });

  it('fails when it vanishes between two steps', async () => {
    const steps = [step('change', 'true'), { kind: 'review', name: 'review', input: {} }, step('never', 'true')];
    const { task_id } = await create({ repo: 'vanishes', steps });
    const blocked = await taskIs(task_id, 'blocked');
    rmSync(vanishing(), { recursive: true });
    const decision = { outcome: 'done', note: 'fine' };
    await cluster.call('POST', `/v1/steps/${blocked.steps[1]?.step_id}/resolve`, decision);
    expect(await taskIs(task_id, 'failed')).toMatchObject({
      error_code: 'worktree_failed',
      error_text: expect.stringContaining('the repository vanishes is missing'),
      steps: [{ status: 'done' }, { status: 'done' }, { status: 'failed' }],
    });
  });

  it('waits for a node that has it when no configuration names it', async () => {
    const { task_id } = await create({ repo: 'unnamed', steps: [step('waits', 'true')] });
    const agent = await create({ steps: [{ kind: 'agent', name: 'codex', input: { agent: 'codex' } }] });
    for (const id of [task_id, agent.task_id]) {
      expect(await detail(id)).toMatchObject({ status: 'queued', waiting_reason: 'waits_for_a_node' });
      await cluster.call('POST', `/v1/tasks/${id}/cancel`, {});
    }
  });
});

/** Says the call in the chat, approves it as a person, and resolves with the task that the reply names. */
async function createFromChat(browser: TestBrowser, params: object): Promise<string> {
  await browser.says('creates', block(`@conductor::tasks/create::${JSON.stringify(params)}`));
  const asked = await until(async () => {
    const { items } = await cluster.call<{ items: InstructionDetail[] }>('GET', '/v1/instructions?limit=10');
    return items.find(({ status }) => status === 'awaiting_approval');
  });
  const path = `/v1/instructions/${asked.instruction_id}`;
  const { approval } = await cluster.call<InstructionDetail>('GET', path);
  await cluster.call('POST', `${path}/approve`, { approval_hash: approval?.approval_hash });
  const { message_text: reply } = await browser.delivers();
  return /task_[0-9a-z]{26}/.exec(reply.replaceAll('\\', ''))?.[0] ?? '';
}

describe('a task that a chat creates', () => {
  it('runs in a repository once a person has approved it, and its end is reported into that chat', async () => {
    const [host] = hosts as [TestNode, ...TestNode[]];
    const browser = await openBrowser(cluster, host, 'tasks-chat');
    const steps = [
      step('change', 'echo from a chat > chat.txt'),
      { kind: 'test', name: 'check', input: { script: 'grep -q chat chat.txt && echo "Tests: 1 passed, 1 total"' } },
      { kind: 'git', name: 'commit', input: { action: 'commit', message: 'Change it for a chat' } },
    ];
    const params = {
      task_type: 'shell',
      title: 'for a chat',
      goal: 'Change it.',
      repo: 'app',
      base_ref: 'main',
      steps,
    };
    const taskId = await createFromChat(browser, params);
    const notice = await browser.delivers();
    expect(notice).toMatchObject({ platform: 'claude', conversation_id: 'tasks-chat' });
    expect(notice.message_text).toContain('for a chat');
    expect(notice.message_text).toContain('done');
    expect(await detail(taskId)).toMatchObject({ status: 'done', is_persons: true });
    expect(runGit(repo, 'show', `conductor/${taskId}:chat.txt`)).toBe('from a chat');
    expect(browser.pendingDeliveries()).toEqual([]);
    await browser.close();
  });

  it('and that holds its renewals keeps one waiting until it has ended', async () => {
    const [host] = hosts as [TestNode, ...TestNode[]];
    const browser = await openBrowser(cluster, host, 'held-chat');
    const gate = join(cluster.stack.layout.root, 'gate-of-the-renewal');
    const steps = [step('wait', `while [ ! -e ${gate} ]; do sleep 0.1; done`)];
    const params = { task_type: 'shell', title: 'held', goal: 'Wait.', steps, hold_renewal: true, notify: false };
    const taskId = await createFromChat(browser, params);
    const { local_conversation_id } = await detail(taskId);
    const conversation = `/v1/renewal/conversations/${local_conversation_id}`;
    await cluster.call('POST', `${conversation}/auto`, {});
    await browser.says('answer', 'The task is created.');
    await until(async () => {
      const { next_renewal } = await cluster.call<{ next_renewal: { reason: string } }>('GET', conversation);
      return next_renewal.reason === 'task_pending' || browser.pendingDeliveries().length > 0;
    });
    await cluster.call('POST', '/v1/timed-jobs/tick', {});
    expect(browser.pendingDeliveries()).toEqual([]);
    writeFileSync(gate, '');
    await taskIs(taskId, 'done');
    const renewal = await browser.delivers();
    expect(renewal).toMatchObject({ platform: 'claude', conversation_id: 'held-chat' });
    expect(renewal.message_text).toContain('The task is created.');
    await browser.close();
  });
});

describe('a leader that changes while a task waits for a person', () => {
  it('merges in its own clone what the host before has committed in its own', async () => {
    const { holder_id, term } = await cluster.leader();
    const steps = [
      step('change', 'echo moved > moved.txt'),
      { kind: 'git', name: 'commit', input: { action: 'commit', message: 'Move it' } },
      { kind: 'review', name: 'review', input: {} },
      { kind: 'git', name: 'merge', input: { action: 'merge', into: 'main' } },
    ];
    const { task_id } = await create({ repo: 'own', base_ref: 'main', steps });
    const blocked = await taskIs(task_id, 'blocked');
    await cluster.call('POST', `/v1/controllers/${holder_id}/drain`, { on: true });
    const { holder_id: other } = await cluster.term(term + 1);
    const review = blocked.steps.find(({ kind }) => kind === 'review');
    await cluster.call('POST', `/v1/steps/${review?.step_id}/resolve`, { outcome: 'done', note: 'fine' });
    const task = await taskIs(task_id, 'done', 'failed');
    expect(task.runs.map(({ controller_id, status }) => [controller_id, status])).toEqual([
      [holder_id, 'succeeded'],
      [holder_id, 'succeeded'],
      [holder_id, 'blocked'],
      [other, 'succeeded'],
    ]);
    const host = hosts.find(({ id }) => id === other) as TestNode;
    expect(runGit(cloneOf(host), 'log', '-1', '--format=%s', 'main')).toBe('Move it');
    expect(runGit(cloneOf(host), 'show', 'main:moved.txt')).toBe('moved');
    await cluster.call('POST', `/v1/controllers/${holder_id}/drain`, { on: false });
  });
});

describe('a leader that a person drains', () => {
  it('gives its run to the other host, which leads then; it leads and claims again when that ends', async () => {
    const { holder_id, term } = await cluster.leader();
    const other = hosts.find(({ id }) => id !== holder_id)?.id;
    const drain = (id: string | null | undefined, on: boolean) =>
      cluster.call('POST', `/v1/controllers/${id}/drain`, { on });
    const begun = join(cluster.stack.layout.root, 'begun');
    const { task_id } = await create({ steps: [step('move', `[ -e ${begun} ] && exit 0; touch ${begun}; sleep 600`)] });
    await until(async () => (await detail(task_id)).runs.find(({ status }) => status === 'running'));
    await drain(holder_id, true);
    expect(await cluster.term(term + 1)).toMatchObject({ holder_id: other });
    const moved = await taskIs(task_id, 'done', 'failed');
    expect(moved.runs.map(({ controller_id, status }) => [controller_id, status])).toEqual([
      [holder_id, 'lost'],
      [other, 'succeeded'],
    ]);
    const during = await create({ steps: [step('new', 'true')] });
    expect((await taskIs(during.task_id, 'done')).runs).toMatchObject([{ controller_id: other }]);
    await drain(holder_id, false);
    await drain(other, true);
    expect(await cluster.term(term + 2)).toMatchObject({ holder_id });
    const after = await create({ steps: [step('new', 'true')] });
    expect((await taskIs(after.task_id, 'done')).runs).toMatchObject([{ controller_id: holder_id }]);
    await drain(other, false);
  });
});

describe('the end of an agent', () => {
  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'by %s leaves its step to the runner, and the next agent of that host reports it',
    async (signal) => {
      const gate = join(cluster.stack.layout.root, `gate-${signal}`);
      const script = `echo on; while [ ! -e ${gate} ]; do sleep 0.1; done; echo end`;
      const { task_id } = await create({ steps: [step('survive', script)] });
      const run = await until(async () => (await detail(task_id)).runs.find(({ status }) => status === 'running'));
      const host = hosts.find(({ id }) => id === run.controller_id);
      await host?.end(signal);
      writeFileSync(gate, '');
      await host?.start();
      const task = await taskIs(task_id, 'done', 'failed');
      expect(task.runs).toMatchObject([{ run_id: run.run_id, status: 'succeeded', exit_code: 0 }]);
      expect(await follow(task_id)).toBe('on\nend\n');
    },
  );
});

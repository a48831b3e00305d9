/** The real codex and claude on a scripted model, as steps of a node. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newId } from '../../schema/ids.ts';
import { runGit } from '../support/git-repo.ts';
import { until } from '../support/until.ts';
import { openAgentScene } from './agent-scene.ts';
import { installedAgent } from './installed.ts';
import type { ModelAct } from './models/model-server.ts';

const EDIT: readonly ModelAct[] = [
  { type: 'write', path: 'hello.txt', text: 'hello\n' },
  { type: 'run', command: 'cat hello.txt' },
  { type: 'say', text: 'hello.txt is there.' },
];
/** A tool tree that ignores SIGTERM and leaves its session. */
const STUBBORN = `trap '' TERM; setsid sh -c "trap '' TERM; while :; do sleep 1; done" & touch started; while :; do sleep 1; done`;

/** Waits in its second turn until it is ended; the patch then has `wait`, which a later attempt finds. */
const WAITING: readonly ModelAct[] = [
  { type: 'write', path: 'hello.txt', text: 'hello\n' },
  { type: 'run', command: '[ -e wait ] || { touch wait; sleep 600; }' },
  { type: 'say', text: 'continued and done' },
];

describe.each(['codex', 'claude'] as const)('the real %s', (name) => {
  const program = installedAgent(name);
  const command = program ?? '';

  it.skipIf(program === null)(
    'edits, the next steps test and commit, and its last message is the summary',
    async () => {
      const { offer, ended, behind, repo, left } = await openAgentScene(name, command, EDIT);
      const edit = offer();
      const run = await ended(edit);
      expect(run.end).toMatchObject({ status: 'succeeded', summary: 'hello.txt is there.' });
      expect(run.end?.usage).toMatchObject({ output_tokens: expect.any(Number) });
      expect(run.end?.session_id).toEqual(expect.any(String));
      expect(run.checkpoints.map(({ type }) => type)).toContain('git_diff');
      const test = offer({
        kind: 'test',
        input: { script: 'grep hello hello.txt && echo "Tests: 1 passed, 1 total"' },
        ...behind(edit),
      });
      expect((await ended(test)).end).toMatchObject({ status: 'succeeded', summary: '1 passed, 0 failed' });
      const commit = offer({ kind: 'git', input: { action: 'commit', message: 'Greet' }, ...behind(test) });
      expect((await ended(commit)).end).toMatchObject({ status: 'succeeded' });
      expect(runGit(repo, 'show', 'conductor/greet:hello.txt')).toBe('hello');
      expect(left(edit)).toEqual([]);
    },
  );

  it.skipIf(program === null).each([
    ['is rate limited', { type: 'status', status: 429 }, ['rate_limited']],
    ['fails', { type: 'status', status: 500 }, ['agent_failed', 'rate_limited']],
    ['refuses', { type: 'refuse' }, ['refused']],
  ] as const)('fails when its model %s, with any exit code', async (_how, act, codes) => {
    const { offer, ended } = await openAgentScene(name, command, [act]);
    const { end } = await ended(offer());
    expect(end?.status).toBe('failed');
    expect(codes).toContain(end?.error_code);
  });

  it.skipIf(program === null)(
    'leaves nothing at its time limit, not even tools that ignore SIGTERM in sessions of their own',
    async () => {
      const scene = await openAgentScene(name, command, [{ type: 'run', command: STUBBORN }]);
      const { offer, ended, left, root, task_id } = scene;
      const claim = offer({ timeout_ms: 12_000 });
      expect((await ended(claim)).end).toMatchObject({ status: 'timeout', error_code: 'timeout' });
      expect(existsSync(join(root, 'worktrees', task_id, 'started'))).toBe(true);
      expect(left(claim)).toEqual([]);
    },
  );

  it.skipIf(program === null)('ends with its model hanging when the task is canceled', async () => {
    const { offer, ended, left, model, node } = await openAgentScene(name, command, [{ type: 'hang' }]);
    const claim = offer();
    await until(() => model.turns.length > 0);
    node.nodeRuns.stopRun(claim.run_id, 'canceled');
    expect((await ended(claim)).end).toMatchObject({ status: 'canceled' });
    expect(left(claim)).toEqual([]);
  });

  it.skipIf(program === null)(
    'leaves nothing when the task is canceled, not even tools that ignore SIGTERM in sessions of their own',
    async () => {
      const scene = await openAgentScene(name, command, [{ type: 'run', command: STUBBORN }]);
      const { offer, ended, left, root, task_id, node } = scene;
      const claim = offer();
      await until(() => existsSync(join(root, 'worktrees', task_id, 'started')));
      node.nodeRuns.stopRun(claim.run_id, 'canceled');
      expect((await ended(claim)).end).toMatchObject({ status: 'canceled' });
      expect(left(claim)).toEqual([]);
    },
  );

  it.skipIf(program === null)('is understood when it prints a line of more than a megabyte', async () => {
    const text = `It is long. ${'x'.repeat(1_200_000)}`;
    const { offer, ended, root, task_id } = await openAgentScene(name, command, [{ type: 'say', text }]);
    const claim = offer();
    const { end } = await ended(claim);
    expect(end).toMatchObject({ status: 'succeeded', summary: expect.stringMatching(/^It is long\. x/) });
    const lines = readFileSync(join(root, 'runs', task_id, claim.run_id, 'stdout.log'), 'utf8').split('\n');
    expect(Math.max(...lines.map(({ length }) => length))).toBeGreaterThan(1_200_000);
  });

  it.skipIf(program === null)('resumes its own session in the next attempt on this host', async () => {
    const { offer, again, ended, node, root, task_id, model } = await openAgentScene(name, command, WAITING);
    const folder = join(root, 'worktrees', task_id);
    const first = offer();
    await until(() => existsSync(join(folder, 'wait')));
    node.nodeRuns.stopRun(first.run_id, 'handed_over');
    const { end } = await ended(first);
    expect(end).toMatchObject({ status: 'lost', error_code: 'handed_over', session_id: expect.any(String) });
    const turns = model.turns.length;
    const run = await ended(again(first));
    expect(run.end).toMatchObject({ status: 'succeeded', session_id: end?.session_id });
    expect(model.turns.length).toBeGreaterThan(turns);
    expect(readFileSync(join(folder, 'hello.txt'), 'utf8')).toBe('hello\n');
  });

  it.skipIf(program === null)('begins a new session after one that does not exist on this host any more', async () => {
    const { offer, again, ended } = await openAgentScene(name, command, [{ type: 'say', text: 'done' }]);
    const unknown = { run_id: newId('run', Date.now()), controller_id: 'mini-main', session_id: crypto.randomUUID() };
    const first = offer({ attempt: 2, previous: { ...unknown, status: 'failed', error_code: null } });
    expect((await ended(first)).end).toMatchObject({ error_code: 'session_not_found', session_id: null });
    const second = await ended(again(first));
    expect(second.end).toMatchObject({ status: 'succeeded', session_id: expect.any(String) });
    expect(second.end?.session_id).not.toBe(unknown.session_id);
  });

  it.skipIf(program === null)('begins a session after an attempt that could not make one', async () => {
    const { offer, again, ended, node } = await openAgentScene(name, command, [{ type: 'say', text: 'done' }]);
    const settings = node.host.agents[name];
    if (settings === undefined) throw new Error('there is no agent');
    const { args } = settings;
    settings.args = ['--no-such-option'];
    const first = offer();
    expect((await ended(first)).end).toMatchObject({ error_code: 'agent_ended_early', session_id: null });
    settings.args = args;
    expect((await ended(again(first))).end).toMatchObject({ status: 'succeeded' });
  });

  it.skipIf(program === null)(
    'continues on another host from the last patch, in a session of its own, which the prompt says',
    async () => {
      const scene = await openAgentScene(name, command, WAITING);
      const { offer, again, ended, node, root, task_id, model, openNode, worktree } = scene;
      const first = offer();
      await until(() => existsSync(join(root, 'worktrees', task_id, 'wait')));
      node.nodeRuns.stopRun(first.run_id, 'handed_over');
      const { end, checkpoints } = await ended(first);
      await node.stop();
      const patch = checkpoints.find(({ type }) => type === 'git_diff');
      const turns = model.turns.length;
      const second = again(first, { worktree: { ...worktree, patch_checkpoint_id: `${first.run_id}/${patch?.seq}` } });
      const other = openNode('other');
      const run = await ended(second);
      expect(run.end).toMatchObject({ status: 'succeeded', session_id: expect.any(String) });
      expect(run.end?.session_id).not.toBe(end?.session_id);
      expect(JSON.stringify(model.turns[turns])).toContain('An earlier attempt was interrupted');
      expect(readFileSync(join(other.root, 'worktrees', task_id, 'hello.txt'), 'utf8')).toBe('hello\n');
    },
  );
});

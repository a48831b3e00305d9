import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readState } from '../../../../local-agent/runs/state-file.ts';
import { findProcessesNow } from '../../../../local-agent/worker-runner/find-processes.ts';
import { queryOf } from '../../../../local-agent/worker-runner/left-behind.ts';
import type { ClaimedRun } from '../../../../schema/contracts/runs.ts';
import { newId } from '../../../../schema/ids.ts';
import { newRepo, runGit } from '../../../support/git-repo.ts';
import { openRunsNode } from '../../../support/runs-node.ts';
import { openRunsScene } from '../../../support/runs-scene.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { until } from '../../../support/until.ts';

const types = (lines: string) =>
  lines
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { type: string }).type);

describe('a node that claims a shell step', () => {
  it('runs it, and leaves every file with what it promises', async () => {
    const { offer, open, ended, folderOf, file } = await openRunsScene();
    const claim = offer({ input: { script: 'echo out; echo err >&2' } });
    open();
    const run = await ended(claim);
    expect(run.end).toMatchObject({ status: 'succeeded', exit_code: 0, summary: 'out' });
    expect(run.text('stdout')).toBe('out\n');
    expect(run.text('stderr')).toBe('err\n');
    expect(run.text('lifecycle')).toBe(file(claim, 'worker.log'));
    expect(readState(folderOf(claim))).toMatchObject({ status: 'succeeded', exit_code: 0, checkpoint_seq: 3 });
    expect(types(file(claim, 'events.jsonl'))).toEqual([
      'run_prepared',
      'checkpoint_slot_reserved',
      'worker_started',
      'worker_exited',
      'checkpoint_saved',
      'checkpoint_saved',
      'step_completed',
    ]);
    expect(readdirSync(join(folderOf(claim), 'checkpoints'))).toEqual([
      '0001-summary.json',
      '0002-log-tail.txt',
      '0003-summary.json',
    ]);
    expect(JSON.parse(file(claim, 'exit.json'))).toMatchObject({ exit_code: 0 });
  });

  it('reports how it failed', async () => {
    const { offer, open, ended } = await openRunsScene();
    const claim = offer({ input: { argv: ['/bin/sh', '-c', 'echo broken >&2; exit 4'] } });
    open();
    expect((await ended(claim)).end).toMatchObject({
      status: 'failed',
      exit_code: 4,
      error_code: 'exit_code',
      error_text: 'exit code 4: broken',
    });
  });

  it('fails one that its policy does not permit, without a start', async () => {
    const { offer, open, ended, file } = await openRunsScene();
    const claim = offer({ input: { script: 'echo never' } });
    open({ judge: () => ({ allowed: false, text: 'the policy of this host denies it' }) });
    expect((await ended(claim)).end).toMatchObject({ status: 'failed', error_code: 'denied', final: true });
    expect(file(claim, 'stdout.log')).toBe('');
  });

  it('defers one when a pause arrives before its start', async () => {
    const { offer, open, ended, file } = await openRunsScene();
    const claim = offer({ input: { script: 'echo never' } });
    open({ isPaused: () => true });
    expect((await ended(claim)).end).toMatchObject({ status: 'canceled', error_code: 'system_paused' });
    expect(types(file(claim, 'events.jsonl'))).toContain('worker_execution_deferred');
  });

  it('reports a run whose folder cannot be made', async () => {
    const { offer, open, ended, root } = await openRunsScene();
    writeFileSync(join(root, 'runs'), 'a file is in the way');
    const claim = offer({});
    open();
    expect((await ended(claim)).end).toMatchObject({ status: 'failed', error_code: 'run_folder_failed' });
  });
});

describe('a step behind another one', () => {
  it('gets its output, and the folder with the files that it left', async () => {
    const { offer, open, ended, root, folderOf } = await openRunsScene();
    const first = offer({ input: { script: 'echo built > "$BAA_ARTIFACTS/app.txt"; echo 1.2.3' } });
    const node = open();
    await ended(first);
    const { task_id, step_id, run_id, kind } = first;
    const output = { step_id, kind, name: 'build', status: 'done', summary: '1.2.3' };
    const copy = `cp "$BAA_EARLIER_STEPS" ${join(root, 'earlier.json')}`;
    const second = offer({
      task_id,
      outputs: [
        { ...output, run_id },
        { ...output, name: 'other', run_id: newId('run', 1) },
      ],
      input: { script: copy },
    });
    node.nodeRuns.wake();
    expect((await ended(second)).end).toMatchObject({ status: 'succeeded' });
    const artifacts = join(folderOf(first), 'artifacts');
    expect(JSON.parse(readFileSync(join(root, 'earlier.json'), 'utf8'))).toMatchObject([
      { name: 'build', summary: '1.2.3', artifacts },
      { name: 'other', artifacts: null },
    ]);
    expect(readFileSync(join(artifacts, 'app.txt'), 'utf8')).toBe('built\n');
  });
});

describe('a step that the edge ends', () => {
  it.each([
    ['cancel', { status: 'canceled', error_code: 'canceled' }],
    ['hand_over', { status: 'lost', error_code: 'handed_over' }],
  ] as const)('by %s leaves no process, and its last checkpoint comes before its end', async (how, end) => {
    const { edge, offer, open, ended } = await openRunsScene();
    const claim = offer({ input: { script: 'setsid sleep 600 & echo on; sleep 600' } });
    const node = open();
    await until(() => edge.run(claim.run_id).text('stdout') === 'on\n');
    node.nodeRuns.stopRun(claim.run_id, how === 'cancel' ? 'canceled' : 'handed_over');
    const run = await ended(claim);
    expect(run.end).toMatchObject(end);
    expect(run.checkpoints.map(({ type }) => type)).toContain('log_tail');
    expect(findProcessesNow(queryOf(null, claim.run_id))).toEqual([]);
  });

  it('because another run has taken it over reports nothing more, and keeps its files', async () => {
    const { edge, offer, open, folderOf } = await openRunsScene();
    const claim = offer({ input: { script: 'echo on; sleep 600' } });
    const first = open();
    await until(() => edge.run(claim.run_id).text('stdout') === 'on\n');
    await first.stop();
    edge.run(claim.run_id).isStale = true;
    open();
    await until(() => readState(folderOf(claim))?.status === 'lost');
    expect(edge.run(claim.run_id).end).toBeNull();
    expect(findProcessesNow(queryOf(null, claim.run_id))).toEqual([]);
    expect(existsSync(join(folderOf(claim), 'stdout.log'))).toBe(true);
  });
});

describe('a stop of the agent', () => {
  it('leaves the step to its runner, and a later agent reports it', async () => {
    const { edge, offer, open, ended, root } = await openRunsScene();
    const gate = join(root, 'gate');
    const claim = offer({ input: { script: `echo on; while [ ! -e ${gate} ]; do sleep 0.05; done; echo end` } });
    const first = open();
    await until(() => edge.run(claim.run_id).text('stdout') === 'on\n');
    await first.stop();
    writeFileSync(gate, '');
    open();
    const run = await ended(claim);
    expect(run.end).toMatchObject({ status: 'succeeded' });
    expect(run.text('stdout')).toBe('on\nend\n');
  });
});

describe('a step in a repository', () => {
  const worktree = (over: Partial<ClaimedRun['worktree']> = {}) => ({
    repo: 'app',
    base_ref: 'main',
    base_sha: null,
    branch_name: 'conductor/greet',
    patch_checkpoint_id: null,
    ...over,
  });

  it('leaves its changes to the next step, which commits and merges them', async () => {
    const { edge, offer, open, ended } = await openRunsScene();
    const repo = newRepo();
    const task_id = newId('task', 1);
    const change = offer({ task_id, input: { script: 'echo hello > hello.txt' }, worktree: worktree() });
    const node = open({ repos: { app: repo } });
    const first = await ended(change);
    const base_sha = runGit(repo, 'rev-parse', 'main');
    // The base commit is fixed before the step starts.
    expect(first.heartbeats[0]).toMatchObject({ base_sha });
    expect(first.heartbeats[0]?.started).toBeUndefined();
    expect(first.checkpoints.map(({ type }) => type)).toContain('git_diff');
    const output = { step_id: change.step_id, kind: 'shell', name: 'change', status: 'done', summary: null };
    const outputs = [{ ...output, run_id: change.run_id }];
    const commit = offer({
      task_id,
      kind: 'git',
      input: { action: 'commit', message: 'Greet' },
      outputs,
      worktree: worktree({ base_sha }),
    });
    node.nodeRuns.wake();
    expect((await ended(commit)).end).toMatchObject({ status: 'succeeded', summary: expect.stringContaining('Greet') });
    const merge = offer({
      task_id,
      kind: 'git',
      input: { action: 'merge' },
      outputs: [{ ...output, run_id: commit.run_id }],
      worktree: worktree({ base_sha }),
    });
    node.nodeRuns.wake();
    expect((await ended(merge)).end).toMatchObject({ status: 'succeeded' });
    expect(readFileSync(join(repo, 'hello.txt'), 'utf8')).toBe('hello\n');
    expect(edge.claims[0]?.repos).toEqual(['app']);
  });

  it('leaves no worktree behind when its task is done; the branch stays', async () => {
    const { edge, offer, open, ended, root } = await openRunsScene();
    edge.taskStatus = 'done';
    const repo = newRepo();
    const claim = offer({ input: { script: 'true' }, worktree: worktree() });
    open({ repos: { app: repo } });
    await ended(claim);
    await until(() => !existsSync(join(root, 'worktrees', claim.task_id)));
    expect(runGit(repo, 'branch', '--list', 'conductor/*')).toContain('conductor/greet');
  });

  it('keeps the worktree of a task that is done while it has changes that no commit has', async () => {
    const { edge, offer, open, ended, root } = await openRunsScene();
    edge.taskStatus = 'done';
    const repo = newRepo();
    const dirty = offer({ input: { script: 'echo work > new.txt' }, worktree: worktree() });
    const node = open({ repos: { app: repo } });
    await ended(dirty);
    const clean = offer({ input: { script: 'true' }, worktree: worktree({ branch_name: 'conductor/other' }) });
    node.nodeRuns.wake();
    await ended(clean);
    await until(() => !existsSync(join(root, 'worktrees', clean.task_id)));
    expect(readFileSync(join(root, 'worktrees', dirty.task_id, 'new.txt'), 'utf8')).toBe('work\n');
  });

  it('continues on another host from the last patch', async () => {
    const { edge, offer, open, ended, server } = await openRunsScene();
    const repo = newRepo();
    const base_sha = runGit(repo, 'rev-parse', 'main');
    const claim = offer({
      input: { script: 'printf "\\000\\377" > data.bin; echo on' },
      worktree: worktree({ base_sha }),
    });
    const first = open({ repos: { app: repo } });
    const patch = (await ended(claim)).checkpoints.find(({ type }) => type === 'git_diff');
    await first.stop();
    const other = openRunsNode({ edgeUrl: server.url, root: tempDir(), nodeId: 'other', repos: { app: repo } });
    onTestFinished(() => other.stop());
    const previous = {
      run_id: claim.run_id,
      controller_id: 'mini-main',
      status: 'lost' as const,
      error_code: null,
      session_id: null,
    };
    const again = offer({
      task_id: claim.task_id,
      attempt: 2,
      input: { script: 'od -An -tx1 data.bin' },
      previous,
      worktree: worktree({ base_sha, patch_checkpoint_id: `${claim.run_id}/${patch?.seq}` }),
    });
    other.start();
    expect((await ended(again)).text('stdout').trim()).toBe('00 ff');
    expect(edge.run(again.run_id).end).toMatchObject({ status: 'succeeded' });
  });

  it('that this host does not have any more fails and says so', async () => {
    const { edge, offer, open, ended } = await openRunsScene();
    const repo = newRepo();
    const claim = offer({ input: { script: 'true' }, worktree: worktree() });
    rmSync(repo, { recursive: true });
    open({ repos: { app: repo } });
    expect((await ended(claim)).end).toMatchObject({
      status: 'failed',
      error_code: 'worktree_failed',
      error_text: expect.stringContaining('does not exist'),
    });
    // Its disk may only be late: it is named after a time.
    const named = edge.claims.map(({ repos }) => repos);
    expect(named[0]).toEqual([]);
    expect(named).toContainEqual(['app']);
  });

  it('that this host does not name is not claimed', async () => {
    const { edge, offer, open, ended } = await openRunsScene();
    offer({ input: { script: 'true' }, worktree: worktree({ repo: 'other' }) });
    const own = offer({ input: { script: 'true' }, worktree: worktree() });
    open({ repos: { app: newRepo() } });
    await ended(own);
    expect(edge.waiting.map((step) => step.worktree.repo)).toEqual(['other']);
  });
});

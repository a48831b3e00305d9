/** `git` steps after a coding agent that uses branches of its own, and merges into what is no branch. */
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { executorFor } from '../../../../local-agent/executors/registry.ts';
import type { ClaimedRun } from '../../../../schema/contracts/runs.ts';
import { newId } from '../../../../schema/ids.ts';
import { GIT_ENV, newRepo, runGit } from '../../../support/git-repo.ts';
import { gitStep, openTaskIn, shellStep } from '../../../support/git-steps.ts';
import { openRunsScene } from '../../../support/runs-scene.ts';
import { BASE_SHA, claimedRun, stepView } from '../../../support/step-builders.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const AS_AGENT = 'git -c user.name=agent -c user.email=agent@example.invalid';

async function openTask(over: Parameters<typeof openTaskIn>[1] = {}) {
  const scene = await openRunsScene();
  const repo = newRepo();
  const node = scene.open({ repos: { app: repo } });
  const { run, branch } = openTaskIn(scene, over);
  return { repo, branch, root: scene.root, run: (step: Parameters<typeof run>[1]) => run(node, step) };
}

describe('a step that switches to a branch of its own', () => {
  it.each([
    ['a new branch', 'git switch -q -c fix'],
    ['no branch', 'git switch -q --detach'],
  ])('%s has its work committed to the branch of the task, and merged', async (_what, how) => {
    const { repo, branch, run } = await openTask();
    await run(shellStep(`${how}; echo 1 > one; git add one; ${AS_AGENT} commit -qm One; echo 2 > two`));
    expect((await run(gitStep('commit', { message: 'Two' }))).end).toMatchObject({ status: 'succeeded' });
    expect((await run(gitStep('merge'))).end).toMatchObject({ status: 'succeeded' });
    expect(runGit(repo, 'log', '--format=%s', 'main')).toBe('Two\nOne\nbegin');
    expect(runGit(repo, 'rev-parse', branch)).toBe(runGit(repo, 'rev-parse', 'main'));
  });

  it('has only what it committed there on it: a commit of the task does not move it', async () => {
    const { repo, run } = await openTask();
    await run(shellStep(`git switch -q -c fix; echo 1 > one; git add one; ${AS_AGENT} commit -qm One; echo 2 > two`));
    await run(gitStep('commit', { message: 'Two' }));
    expect(runGit(repo, 'log', '-1', '--format=%s', 'fix')).toBe('One');
  });

  it('that lacks commits of the task is refused, and nothing has moved', async () => {
    const { repo, branch, run } = await openTask();
    await run(shellStep('echo 1 > one'));
    await run(gitStep('commit', { message: 'One' }));
    const made = runGit(repo, 'rev-parse', branch);
    await run(shellStep('git switch -q -c other HEAD~1; echo 2 > two'));
    expect((await run(gitStep('commit', { message: 'Two' }))).end).toMatchObject({
      status: 'failed',
      error_code: 'commit_refused',
      error_text: expect.stringContaining(`HEAD is at other, which lacks commits of ${branch}`),
      final: true,
    });
    expect(runGit(repo, 'rev-parse', branch)).toBe(made);
    expect(runGit(repo, 'log', '-1', '--format=%s', 'other')).toBe('begin');
  });
});

describe('an attempt on a branch that a person named, before a patch of it has reached the edge', () => {
  async function attempts(branch_name: string) {
    const scene = await openRunsScene();
    const repo = newRepo();
    const node = scene.open({ repos: { app: repo } });
    const ids = { task_id: newId('task', Date.now()), step_id: newId('step', Date.now()) };
    const base_sha = runGit(repo, 'rev-parse', 'main');
    const worktree = { repo: 'app', base_ref: 'main', base_sha, patch_checkpoint_id: null, branch_name };
    const attempt = async (script: string, previous: ClaimedRun['previous'] = null) => {
      const { run_id } = scene.offer({ ...ids, worktree, input: { script }, previous });
      node.nodeRuns.wake();
      const { end } = await scene.ended({ run_id });
      const left = { run_id, status: 'lost', error_code: null, session_id: null } as const;
      return { end, left: { ...left, controller_id: node.host.nodeId } };
    };
    const loseWorktree = () => rmSync(join(scene.root, 'worktrees', ids.task_id), { recursive: true });
    return { repo, attempt, loseWorktree };
  }

  it('leaves its commits to the next one, also when its worktree is gone', async () => {
    const { repo, attempt, loseWorktree } = await attempts('feature');
    const first = await attempt(`echo 1 > one; git add one; ${AS_AGENT} commit -qm One`);
    loseWorktree();
    expect((await attempt('cat one', first.left)).end).toMatchObject({ status: 'succeeded' });
    expect(runGit(repo, 'log', '--format=%s', 'feature')).toBe('One\nbegin');
  });

  it('is refused each time where the branch has the commits of that person', async () => {
    const { repo, attempt } = await attempts('feature');
    runGit(repo, 'branch', 'feature');
    runGit(repo, 'worktree', 'add', '--quiet', join(repo, '..', 'persons'), 'feature');
    runGit(join(repo, '..', 'persons'), 'commit', '--quiet', '--allow-empty', '-m', 'Mine');
    runGit(repo, 'worktree', 'remove', join(repo, '..', 'persons'));
    const refused = { status: 'failed', error_code: 'worktree_failed' };
    const first = await attempt('true');
    expect(first.end).toMatchObject(refused);
    expect((await attempt('true', first.left)).end).toMatchObject(refused);
  });
});

describe('a step that leaves HEAD on a branch without a commit', () => {
  it('has its files in a patch nevertheless', async () => {
    const { run } = await openTask();
    const { run: reported } = await run(shellStep('git checkout -q --orphan fix; echo 1 > one'));
    const patches = reported.checkpoints.filter(({ type, truncated }) => type === 'git_diff' && !truncated);
    expect(patches.map(({ content }) => Buffer.from(content ?? '', 'base64').toString())).toEqual([
      expect.stringContaining('+++ b/one'),
    ]);
  });
});

describe('a branch that a person moves while a git step brings it to HEAD', () => {
  /** A `git` that moves the branch before it is moved by another. */
  const movingGit = (repo: string, branch: string, to: string) => {
    const folder = tempDir();
    const { PATH } = GIT_ENV;
    const moves = `env -u GIT_DIR -u GIT_WORK_TREE PATH=${PATH} git -C ${repo} update-ref refs/heads/${branch} ${to}`;
    const script = `#!/bin/sh\n[ "$1" != update-ref ] || ${moves}\nPATH=${PATH} exec git "$@"\n`;
    writeFileSync(join(folder, 'git'), script, { mode: 0o755 });
    return `${folder}:${PATH}`;
  };

  it.each([
    ['that it had', true],
    ['that is new', false],
  ])('stays as it is with a name %s, and the step fails', (_what, exists) => {
    const repo = newRepo();
    const commit = (message: string) => runGit(repo, 'commit-tree', '-p', 'main', '-m', message, 'main^{tree}');
    if (exists) runGit(repo, 'branch', 'feature');
    const work = commit('work');
    runGit(repo, 'checkout', '--quiet', '--detach', commit('made'));
    const executor = executorFor({ kind: 'git', input: { action: 'commit' } }, {});
    if ('problem' in executor) throw new Error(executor.problem.text);
    const worktree = { repo: 'app', base_ref: null, base_sha: BASE_SHA, patch_checkpoint_id: null };
    const claim = claimedRun({ worktree: { ...worktree, branch_name: 'feature' } });
    const git = { directory: join(repo, '.git'), files: ['.'] };
    const prepared = executor.prepare(stepView({ claim, folder: repo, repoPath: repo, baseSha: BASE_SHA, git }));
    if (prepared.type !== 'launch') throw new Error(prepared.verdict.summary);
    const { argv, env } = prepared.launch;
    const [program = '', ...args] = argv;
    const variables = { ...GIT_ENV, ...env, PATH: movingGit(repo, 'feature', work) };
    const { status, stderr } = spawnSync(program, args, { cwd: repo, env: variables, encoding: 'utf8' });
    expect(stderr).toContain('feature, the branch of the task, has moved meanwhile');
    expect(status).toBe(1);
    expect(runGit(repo, 'rev-parse', 'feature')).toBe(work);
  });
});

describe('work without a commit', () => {
  it.each(['push', 'merge'])('is no work that a %s would bring: the step is refused', async (action) => {
    const { repo, run } = await openTask();
    await run(shellStep('echo 1 > one'));
    expect((await run(gitStep(action))).end).toMatchObject({
      status: 'failed',
      error_code: `${action}_refused`,
      error_text: expect.stringContaining('not committed here'),
    });
    expect(runGit(repo, 'log', '--format=%s', 'main')).toBe('begin');
  });

  it.each(['push', 'merge'])('beside commits neither: a %s is refused and names the file', async (action) => {
    const { repo, run } = await openTask();
    await run(shellStep('echo 1 > one; echo 1 > other'));
    await run(gitStep('commit'));
    await run(shellStep('echo 2 > one'));
    expect((await run(gitStep(action))).end).toMatchObject({
      status: 'failed',
      error_code: `${action}_refused`,
      error_text: expect.stringContaining('not committed here (one)'),
    });
    expect(runGit(repo, 'log', '--format=%s', 'main')).toBe('begin');
  });

  it('in new files beside commits is named by what was brought without it', async () => {
    const { run } = await openTask();
    await run(shellStep('echo 1 > one'));
    await run(gitStep('commit'));
    await run(shellStep('echo 1 > built; echo 2 > log'));
    expect((await run(gitStep('merge'))).end).toMatchObject({
      status: 'succeeded',
      summary: expect.stringMatching(/^moved main forward to .*\nwithout a commit stay new files: built,log$/),
    });
  });
});

describe('a merge', () => {
  it.each([
    ['a name without a branch', 'mian'],
    ['a tag', 'v1'],
    ['a branch of a remote', 'origin/main'],
  ])('into %s is refused, and makes no branch', async (_what, into) => {
    const { repo, run } = await openTask();
    runGit(repo, 'tag', 'v1');
    runGit(repo, 'update-ref', 'refs/remotes/origin/main', 'HEAD');
    await run(shellStep('echo 1 > one'));
    await run(gitStep('commit'));
    expect((await run(gitStep('merge', { into }))).end).toMatchObject({
      status: 'failed',
      error_code: 'merge_refused',
      error_text: expect.stringContaining(`has no branch ${into} to merge into`),
      final: true,
    });
    expect(runGit(repo, 'for-each-ref', '--format=%(refname)', `refs/heads/${into}`)).toBe('');
  });
});

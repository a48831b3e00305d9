/** The steps of one task on two hosts with real repositories: a later `git` step has the commits of the one before. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AgentSettingsSchema } from '../../../../local-agent/config/agent-settings.ts';
import { GIT_ENV, newRepo, runGit } from '../../../support/git-repo.ts';
import { gitStep, openTaskIn, shellStep } from '../../../support/git-steps.ts';
import { openRunsScene } from '../../../support/runs-scene.ts';
import { tempDir } from '../../../support/temp-dir.ts';

/** A remote, and one clone of it for each host, or one for both. */
function openRepos(shared: boolean) {
  const work = newRepo();
  const remote = join(tempDir(), 'remote.git');
  runGit(work, 'clone', '--quiet', '--bare', work, remote);
  const clone = () => {
    const path = join(tempDir(), 'clone');
    runGit(work, 'clone', '--quiet', remote, path);
    return path;
  };
  const first = clone();
  return { remote, first, second: shared ? first : clone() };
}

/** Two hosts, of which one runs at a time. */
async function openHosts(repos: { first: string; second: string }) {
  const scene = await openRunsScene();
  const roots = [scene.root, tempDir()] as const;
  let now = scene.open({ repos: { app: repos.first } });
  const on = async (at: 0 | 1) => {
    await now.stop();
    const nodeId = at === 0 ? 'mini-main' : 'other';
    now = scene.open({ root: roots[at], nodeId, repos: { app: at === 0 ? repos.first : repos.second } });
    return now;
  };
  return { scene, first: now, on, folder: (at: 0 | 1, taskId: string) => join(roots[at], 'worktrees', taskId) };
}

describe.each([
  ['with a clone of its own each', false],
  ['with one repository for both', true],
])('two hosts %s', (_how, shared) => {
  it('push what the other one has committed', async () => {
    const repos = openRepos(shared);
    const { scene, first, on } = await openHosts(repos);
    const task = openTaskIn(scene);
    await task.run(first, shellStep('echo hello > hello.txt'));
    expect((await task.run(first, gitStep('commit', { message: 'Greet' }))).end).toMatchObject({ status: 'succeeded' });
    const made = runGit(repos.first, 'rev-parse', task.branch);
    expect((await task.run(await on(1), gitStep('push'))).end).toMatchObject({ status: 'succeeded' });
    expect(runGit(repos.remote, 'rev-parse', task.branch)).toBe(made);
    expect(runGit(repos.remote, 'log', '-1', '--format=%s', task.branch)).toBe('Greet');
  });

  it('merge what the other one has committed, on a branch of its own name too, from host to host and back', async () => {
    const repos = openRepos(shared);
    const { scene, first, on, folder } = await openHosts(repos);
    const task = openTaskIn(scene, { branch_name: 'feature/greet' });
    await task.run(first, shellStep('echo one > one.txt'));
    await task.run(first, gitStep('commit', { message: 'One' }));
    const other = await on(1);
    await task.run(other, shellStep('cat one.txt; echo two > two.txt'));
    expect(runGit(folder(1, task.task_id), 'status', '--porcelain')).toBe('?? two.txt');
    await task.run(other, gitStep('commit', { message: 'Two' }));
    const back = await on(0);
    const merged = await task.run(back, gitStep('merge', { into: 'main' }));
    expect(merged.end).toMatchObject({ status: 'succeeded' });
    expect(runGit(repos.first, 'log', '--format=%s', 'main')).toBe('Two\nOne\nbegin');
    expect(readFileSync(join(repos.first, 'two.txt'), 'utf8')).toBe('two\n');
  });

  it('have commits that a coding agent makes, and beside them what is not committed', async () => {
    const repos = openRepos(shared);
    const { scene, first, on, folder } = await openHosts(repos);
    const task = openTaskIn(scene);
    const identity = 'git -c user.name=a -c user.email=a@example.invalid';
    await task.run(
      first,
      shellStep(`echo 1 > f; git add f; ${identity} commit -qm "By the agent"; echo 2 > f; echo 3 > g`),
    );
    await task.run(await on(1), shellStep('cat f g'));
    expect(runGit(folder(1, task.task_id), 'log', '-1', '--format=%an: %s')).toBe('a: By the agent');
    expect(runGit(folder(1, task.task_id), 'status', '--porcelain').split('\n')).toEqual([' M f', '?? g']);
  });
});

describe('work that a host committed in part before it died, and its last patch has as a whole', () => {
  const IDENTITY = 'git -c user.name=a -c user.email=a@example.invalid';

  /** Runs `script` as a step, then `late` in its folder as an attempt would that died before its next checkpoint. */
  async function openLate({ script, late }: { script: string; late: string }) {
    const repos = openRepos(true);
    const { scene, first, on, folder } = await openHosts(repos);
    const task = openTaskIn(scene);
    const { claim, run } = await task.run(first, shellStep(script));
    const seq = run.checkpoints.findLast(({ type }) => type === 'git_diff')?.seq;
    execFileSync('/bin/sh', ['-ec', late], { cwd: folder(0, task.task_id), env: GIT_ENV });
    const shown = await task.run(await on(1), shellStep('cat x y 2> /dev/null; ls'));
    return { ...shown, patchId: `${claim.run_id}/${seq}`, path: folder(1, task.task_id) };
  }

  const COMMIT_X = `git add x && ${IDENTITY} commit -qm X`;
  it.each([
    ['from the base commit', 'echo 1 > x; echo 2 > y', COMMIT_X],
    [
      'after commits that the patch has too',
      `echo 0 > y; echo 0 > old; git add .; ${IDENTITY} commit -qm One; git rm -q old; ${IDENTITY} commit -qm Two; echo 1 > x; echo 2 > y`,
      COMMIT_X,
    ],
  ])('is there as a whole on the other host: %s', async (_what, script, late) => {
    const { end, run, path } = await openLate({ script, late });
    expect(end).toMatchObject({ status: 'succeeded', summary: expect.not.stringContaining('continues') });
    expect(run.text('stdout')).toMatch(/^[\s\S]*2\nx\ny\n$/);
    expect(runGit(path, 'log', '-1', '--format=%s')).toBe('X');
    expect(runGit(path, 'status', '--porcelain')).toMatch(/^( M|\?\?) y$/);
  });

  it.each([
    ['a file', 'echo newer > x', 'x', 'newer\n2\nx\ny\n', '?? y'],
    ['a folder in its place', 'rm y; mkdir y; echo 3 > y/z; git add y', 'y, y/z', 'older\nx\ny\n', ''],
    ['a file in two commits', `${COMMIT_X}; echo newer > x`, 'x', 'newer\n2\nx\ny\n', '?? y'],
  ])(
    'gives way to newer content of its commits, and the step says of what: %s',
    async (_what, how, names, out, status) => {
      const { end, run, path, patchId } = await openLate({
        script: 'echo older > x; echo 2 > y',
        late: `${how}; ${COMMIT_X}`,
      });
      const summary = new RegExp(`continues from the patch ${patchId} and .* which have newer content of ${names}\\)$`);
      expect(end).toMatchObject({ status: 'succeeded', summary: expect.stringMatching(summary) });
      expect(run.text('stdout')).toBe(out);
      expect(runGit(path, 'status', '--porcelain')).toBe(status);
    },
  );
});

describe('a task whose commits are too large for a checkpoint', () => {
  it('is not pushed without them by another host, which says why', async () => {
    const repos = openRepos(false);
    const { scene, first, on } = await openHosts(repos);
    const task = openTaskIn(scene);
    const limit = { max_checkpoint_bytes: 700 };
    await task.run(first, { ...shellStep('seq 1 60 > numbers.txt'), ...limit });
    await task.run(first, { ...gitStep('commit'), ...limit });
    expect((await task.run(await on(1), gitStep('push'))).end).toMatchObject({
      status: 'failed',
      error_code: 'push_refused',
      error_text: expect.stringContaining('not committed here'),
      final: true,
    });
    expect(runGit(repos.remote, 'branch', '--list', 'conductor/*')).toBe('');
  });
});

describe('a step on another host', () => {
  it('that has no patch of the work before starts over and says so', async () => {
    const repos = openRepos(false);
    const { scene, first, on } = await openHosts(repos);
    const task = openTaskIn(scene);
    await task.run(first, { ...shellStep('seq 1 1000 > numbers.txt'), max_checkpoint_bytes: 100 });
    const { end, claim, run } = await task.run(await on(1), shellStep('ls; echo on'));
    const why = 'starts over: the edge has no whole patch of the work before';
    expect(end).toMatchObject({ status: 'succeeded', summary: `on\n(${why})` });
    expect(run.text('lifecycle')).toContain(`warn work_started_over ${why}`);
    expect(claim.worktree.patch_checkpoint_id).toBeNull();
  });

  it('of a task without a repository says that its folder is empty', async () => {
    const repos = openRepos(false);
    const { scene, first, on } = await openHosts(repos);
    const task = openTaskIn(scene, { repo: null });
    expect((await task.run(first, shellStep('echo 1 > f; echo made'))).end).toMatchObject({ summary: 'made' });
    const { end } = await task.run(await on(1), shellStep('ls; echo on'));
    expect(end).toMatchObject({ summary: expect.stringContaining('starts over in an empty folder') });
  });
});

describe('a coding agent on another host', () => {
  it('reads nothing of an interrupted attempt when its step has not begun before', async () => {
    const scene = await openRunsScene();
    const repo = newRepo();
    const agents = { echo: AgentSettingsSchema.parse({ command: '/bin/cat' }) };
    const first = scene.open({ repos: { app: repo }, agents });
    const task = openTaskIn(scene);
    await task.run(first, shellStep('echo 1 > one'));
    await first.stop();
    const other = scene.open({ root: tempDir(), nodeId: 'other', repos: { app: repo }, agents });
    const { run } = await task.run(other, { kind: 'agent', input: { agent: 'echo', prompt: 'Say hello.' } });
    expect(run.text('stdout')).toMatch(/^Say hello\./);
    expect(run.text('stdout')).not.toContain('interrupted');
  });
});

describe('a person who has commits on a branch that a task names', () => {
  it('keeps them: the step fails and says how the task can go on', async () => {
    const repos = openRepos(true);
    const { scene, first } = await openHosts(repos);
    runGit(repos.first, 'switch', '--quiet', '-c', 'feature/greet');
    writeFileSync(join(repos.first, 'mine.txt'), '');
    runGit(repos.first, 'add', '-A');
    runGit(repos.first, 'commit', '--quiet', '-m', 'Mine');
    runGit(repos.first, 'switch', '--quiet', 'main');
    const task = openTaskIn(scene, { branch_name: 'feature/greet' });
    expect((await task.run(first, shellStep('true'))).end).toMatchObject({
      error_code: 'worktree_failed',
      error_text: expect.stringContaining('branch -m feature/greet OTHER'),
    });
    runGit(repos.first, 'branch', '-m', 'feature/greet', 'mine');
    expect((await task.run(first, shellStep('true'))).end).toMatchObject({ status: 'succeeded' });
  });
});

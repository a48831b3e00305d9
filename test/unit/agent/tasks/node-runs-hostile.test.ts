/** What a step leaves in its worktree is not trusted by the git commands of the conductor, which run outside its sandbox. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ClaimedRun } from '../../../../schema/contracts/runs.ts';
import { newId } from '../../../../schema/ids.ts';
import { newRepo, runGit } from '../../../support/git-repo.ts';
import { openRunsScene } from '../../../support/runs-scene.ts';
import { tempDir } from '../../../support/temp-dir.ts';

/** Prepares a program that notes that it ran, and the shell text that makes it a filter of a repository. */
function trap() {
  const proof = join(tempDir(), 'ran');
  const isFilter = (gitDir: string) =>
    `git --git-dir=${gitDir} config filter.x.clean 'touch ${proof}; cat'; echo '* filter=x' > .gitattributes`;
  return { proof, isFilter };
}

const IDENTITY = 'export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@a';

/** Runs steps of one task after the other on one node, each in the worktree as the one before left it. */
async function openTask() {
  const scene = await openRunsScene();
  const repo = newRepo();
  const node = scene.open({ repos: { app: repo } });
  const task_id = newId('task', Date.now());
  const baseSha = runGit(repo, 'rev-parse', 'HEAD');
  const branch_name = `conductor/${task_id}`;
  const worktree = { repo: 'app', base_ref: 'main', base_sha: baseSha, branch_name, patch_checkpoint_id: null };
  const outputs: ClaimedRun['outputs'] = [];
  const step = async (kind: string, input: Record<string, unknown>) => {
    const claim = scene.offer({ kind, input, task_id, worktree, outputs: [...outputs], step_index: outputs.length });
    node.nodeRuns.wake();
    const run = await scene.ended(claim);
    const { step_id, run_id, name } = claim;
    outputs.push({ step_id, run_id, kind, name, status: 'done', summary: null });
    const patches = run.checkpoints.filter(({ type }) => type === 'git_diff');
    const patch = Buffer.from(patches.at(-1)?.content ?? '', 'base64').toString();
    return { end: run.end, patch, log: run.text('stdout') + run.text('stderr') };
  };
  return { step, repo, branch_name, folder: join(scene.root, 'worktrees', task_id) };
}

describe('a worktree that a step has prepared against the conductor', () => {
  it('runs no program of a Git directory that the step put in place of its own', async () => {
    const { step, repo, branch_name, folder } = await openTask();
    const { proof, isFilter } = trap();
    const evil = join(tempDir(), 'evil');
    const swap = `cp -r ${repo}/.git ${evil}; ${isFilter(evil)}; echo 'gitdir: ${evil}' > .git; echo new > new.txt`;
    expect((await step('shell', { script: swap })).patch).toContain('+new');
    expect((await step('review', {})).end).toMatchObject({
      status: 'blocked',
      summary: expect.stringContaining('new.txt'),
    });
    expect((await step('git', { action: 'diff' })).log).toContain('new.txt');
    expect((await step('git', { action: 'commit', message: 'work' })).end).toMatchObject({ status: 'succeeded' });
    expect(runGit(repo, 'show', '--stat', branch_name)).toContain('new.txt');
    expect(readFileSync(join(folder, '.git'), 'utf8')).toContain(`${repo}/.git/worktrees/`);
    expect(existsSync(proof)).toBe(false);
  });

  it('runs no program of a repository inside it, not even once that is a submodule of the index', async () => {
    const { step } = await openTask();
    const { proof } = trap();
    const inner = `${IDENTITY}; git init -q inner && cd inner && echo a > a && git add a && git commit -qm a
      git config filter.x.clean 'touch ${proof}; cat'; echo 'a filter=x' > .git/info/attributes; echo b > a`;
    await step('shell', { script: `${inner}; cd ..; git add -A 2> /dev/null; rm -f ${proof}` });
    expect((await step('git', { action: 'commit', message: 'work' })).end).toMatchObject({ status: 'succeeded' });
    // Git looks at the content of a submodule that is as new as the index.
    await step('shell', { script: 'echo c > inner/a; echo more > more.txt' });
    expect((await step('review', {})).end).toMatchObject({ summary: expect.stringContaining('more.txt') });
    await step('git', { action: 'diff' });
    expect((await step('git', { action: 'commit', message: 'more' })).end).toMatchObject({ status: 'succeeded' });
    expect(existsSync(proof)).toBe(false);
  });

  it('does not stop the agent by a pipe where git has a file', async () => {
    const { step } = await openTask();
    await step('shell', { script: 'rm .git; mkfifo .git; echo one > one.txt' });
    expect((await step('shell', { script: 'git status --porcelain' })).log).toContain('one.txt');
  });
});

describe('the policy of a host about git steps', () => {
  const worktree = { repo: 'app', base_ref: 'main', base_sha: null, branch_name: null, patch_checkpoint_id: null };

  it.each([
    ['merge', { action: 'merge', into: 'main' }, 'conductor/x', 'merge'],
    ['commit on a branch of a person', { action: 'commit' }, 'feature', 'merge'],
    ['commit on the branch of its task', { action: 'commit' }, 'conductor/x', 'none'],
    ['push', { action: 'push' }, 'conductor/x', 'push'],
  ])('judges a %s by what it moves', async (_what, input, branch_name, type) => {
    const { offer, open, ended } = await openRunsScene();
    const claim = offer({ kind: 'git', input, worktree: { ...worktree, branch_name } });
    const text = `denied as ${type}`;
    open({ repos: { app: '/nonexistent' }, judge: (effect) => ({ allowed: false, text: `denied as ${effect.type}` }) });
    expect((await ended(claim)).end).toMatchObject({ error_code: 'denied', error_text: text, final: true });
  });
});

describe('a secret that a step prints', () => {
  it('is in its log, and not in the summary and error that the chat of its task gets', async () => {
    const { offer, open, ended, file } = await openRunsScene();
    const claim = offer({ input: { script: 'echo key-of-the-host; echo key-of-the-host >&2; exit 3' } });
    open({ redact: (text) => text.replaceAll('key-of-the-host', '[redacted]') });
    const { end, logs } = await ended(claim);
    expect(end).toMatchObject({ error_text: 'exit code 3: [redacted]', summary: 'exit code 3: [redacted]' });
    expect(file(claim, 'state.json')).not.toContain('key-of-the-host');
    expect(logs.stdout.toString()).toBe('key-of-the-host\n');
  });
});

import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ensureCommit, resolveBase } from '../../../../local-agent/worktrees/base-commit.ts';
import { createWorktree, removeWorktree, wholeWorktree } from '../../../../local-agent/worktrees/worktree.ts';
import { gitContext, newRepo, runGit } from '../../../support/git-repo.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const head = (repo: string) => runGit(repo, 'rev-parse', 'HEAD');

function commit(repo: string, message: string): string {
  runGit(repo, 'commit', '--quiet', '--allow-empty', '-m', message);
  return head(repo);
}

/** A repository that was cloned from another. */
function clonedRepo() {
  const origin = newRepo();
  const clone = join(tempDir(), 'clone');
  runGit(origin, 'clone', '--quiet', origin, clone);
  return { origin, clone };
}

describe('the base commit of a task', () => {
  it('is that of the ref, without a remote', async () => {
    const repo = newRepo();
    expect(await resolveBase(repo, null, gitContext())).toBe(head(repo));
    expect(await resolveBase(repo, 'main', gitContext())).toBe(head(repo));
  });

  it('is one that the remote has, where commits were not pushed', async () => {
    const { clone } = clonedRepo();
    const pushed = head(clone);
    commit(clone, 'not pushed');
    commit(clone, 'not pushed either');
    expect(await resolveBase(clone, null, gitContext())).toBe(pushed);
  });

  it('may be named by a branch that only the remote has', async () => {
    const { origin, clone } = clonedRepo();
    runGit(origin, 'branch', 'feature');
    runGit(clone, 'fetch', '--quiet');
    expect(await resolveBase(clone, 'feature', gitContext())).toBe(head(origin));
  });

  it('that does not exist is an error that names it', async () => {
    await expect(resolveBase(newRepo(), 'no-such', gitContext())).rejects.toThrow(/has no commit no-such/);
  });

  it('says so when the folder is no repository', async () => {
    await expect(resolveBase(tempDir(), null, gitContext())).rejects.toThrow(/is no Git repository: correct its line/);
  });

  it('is fetched when this host does not have it yet', async () => {
    const { origin, clone } = clonedRepo();
    const newer = commit(origin, 'newer');
    await ensureCommit(clone, newer, gitContext());
    expect(runGit(clone, 'cat-file', '-t', newer)).toBe('commit');
  });

  it('that no remote has is an error', async () => {
    const { clone } = clonedRepo();
    await expect(ensureCommit(clone, 'c'.repeat(40), gitContext())).rejects.toThrow(/do not have the commit c+/);
  });
});

describe('the worktree of a task', () => {
  it('is at the base commit, on the branch of the task', async () => {
    const repo = newRepo();
    const baseSha = head(repo);
    commit(repo, 'later');
    const path = join(tempDir(), 'task');
    await createWorktree({ repo, path, branch: 'conductor/task_1', baseSha }, gitContext());
    expect(head(path)).toBe(baseSha);
    expect(runGit(path, 'symbolic-ref', '--short', 'HEAD')).toBe('conductor/task_1');
  });

  it('is fresh when it is made again, with the commits of its branch', async () => {
    const repo = newRepo();
    const request = { repo, path: join(tempDir(), 'task'), branch: 'conductor/task_1', baseSha: head(repo) };
    await createWorktree(request, gitContext());
    const made = commit(request.path, 'by an earlier attempt');
    writeFileSync(join(request.path, 'left'), '');
    await createWorktree(request, gitContext());
    expect(head(request.path)).toBe(made);
    expect(existsSync(join(request.path, 'left'))).toBe(false);
  });

  it('is made although another worktree has its branch, as after a take-over on one machine', async () => {
    const repo = newRepo();
    const first = { repo, path: join(tempDir(), 'task'), branch: 'conductor/task_1', baseSha: head(repo) };
    await createWorktree(first, gitContext());
    const second = { ...first, path: join(tempDir(), 'task') };
    await createWorktree(second, gitContext());
    expect(runGit(second.path, 'symbolic-ref', '--short', 'HEAD')).toBe('conductor/task_1');
    expect(runGit(second.path, 'status', '--porcelain')).toBe('');
  });

  it('does not move a branch with the work of a person', async () => {
    const repo = newRepo();
    const baseSha = head(repo);
    runGit(repo, 'branch', 'feature');
    runGit(repo, 'switch', '--quiet', 'feature');
    const work = commit(repo, 'work');
    runGit(repo, 'switch', '--quiet', 'main');
    const request = { repo, path: join(tempDir(), 'task'), branch: 'feature', baseSha };
    await expect(createWorktree(request, gitContext())).rejects.toThrow(/choose another branch_name/);
    expect(runGit(repo, 'rev-parse', 'feature')).toBe(work);
  });

  it.each([
    ['begins', false],
    ['has the commits of a patch', true],
  ])('leaves what a person commits to its branch while it is made, where that branch %s', async (_what, isAhead) => {
    const repo = newRepo();
    const baseSha = head(repo);
    runGit(repo, 'branch', 'feature');
    const made = runGit(repo, 'commit-tree', '-p', baseSha, '-m', 'made', `${baseSha}^{tree}`);
    const work = runGit(repo, 'commit-tree', '-p', baseSha, '-m', 'work', `${baseSha}^{tree}`);
    const path = join(tempDir(), 'task');
    const request = { repo, path, branch: 'feature', baseSha, head: isAhead ? made : null };
    const fill = async () => void runGit(repo, 'branch', '--force', 'feature', work);
    await expect(createWorktree(request, gitContext(), fill)).rejects.toThrow(/feature of .* was moved while/);
    expect(runGit(repo, 'rev-parse', 'feature')).toBe(work);
  });

  it('does not take a branch that is made under its name meanwhile', async () => {
    const repo = newRepo();
    const path = join(tempDir(), 'task');
    const work = commit(repo, 'work');
    const request = { repo, path, branch: 'feature', baseSha: runGit(repo, 'rev-parse', 'HEAD~1') };
    const fill = async () => void runGit(repo, 'branch', 'feature', work);
    await expect(createWorktree(request, gitContext(), fill)).rejects.toThrow(/feature of .* was moved while/);
    expect(runGit(repo, 'rev-parse', 'feature')).toBe(work);
  });

  it('does not take a branch that a folder of a person has checked out', async () => {
    const repo = newRepo();
    const request = { repo, path: join(tempDir(), 'task'), branch: 'main', baseSha: head(repo) };
    await expect(createWorktree(request, gitContext())).rejects.toThrow(/has the branch main checked out/);
  });

  it('leaves a worktree of a person whose disk is away', async () => {
    const repo = newRepo();
    const away = join(tempDir(), 'away');
    runGit(repo, 'worktree', 'add', '--quiet', '--detach', away);
    renameSync(away, `${away}.unmounted`);
    const path = join(tempDir(), 'task');
    await createWorktree({ repo, path, branch: 'conductor/task_1', baseSha: head(repo) }, gitContext());
    await removeWorktree(repo, path, gitContext());
    renameSync(`${away}.unmounted`, away);
    expect(head(away)).toBe(head(repo));
    expect(runGit(repo, 'worktree', 'list')).not.toContain(path);
  });

  it('leaves nothing in the repository when it is removed, except its branch', async () => {
    const repo = newRepo();
    const path = join(tempDir(), 'task');
    await createWorktree({ repo, path, branch: 'conductor/task_1', baseSha: head(repo) }, gitContext());
    await removeWorktree(repo, path, gitContext());
    expect(existsSync(path)).toBe(false);
    expect(runGit(repo, 'worktree', 'list').split('\n')).toHaveLength(1);
    expect(runGit(repo, 'branch', '--list', 'conductor/*')).toContain('conductor/task_1');
  });
});

describe('a worktree whose making was killed', () => {
  /** Git's records of the worktree. */
  const recordOf = (repo: string, name: string) => join(repo, '.git', 'worktrees', name);
  const requestIn = (repo: string) => ({
    repo,
    path: join(tempDir(), 'task_1'),
    branch: 'conductor/task_1',
    baseSha: head(repo),
  });

  it.each(['gitdir', 'commondir', 'HEAD'])(
    'before git had written %s is made again, and git works again',
    async (file) => {
      const request = requestIn(newRepo());
      await createWorktree(request, gitContext());
      writeFileSync(join(recordOf(request.repo, 'task_1'), file), '');
      await createWorktree(request, gitContext());
      expect(head(request.path)).toBe(request.baseSha);
      expect(runGit(request.repo, 'worktree', 'list').split('\n')).toHaveLength(2);
    },
  );

  it('while git had locked it and its branch is made again', async () => {
    const request = requestIn(newRepo());
    await createWorktree(request, gitContext());
    writeFileSync(join(recordOf(request.repo, 'task_1'), 'locked'), 'initializing');
    writeFileSync(join(request.repo, '.git', 'refs', 'heads', 'conductor', 'task_1.lock'), '');
    await createWorktree(request, gitContext());
    expect(head(request.path)).toBe(request.baseSha);
  });

  it('does not count as one to continue in', async () => {
    const request = requestIn(newRepo());
    const fill = () => Promise.reject(new Error('the disk is full'));
    await expect(createWorktree(request, gitContext(), fill)).rejects.toThrow('the disk is full');
    expect(wholeWorktree(request.repo, request.path)).toBeNull();
    await createWorktree(request, gitContext());
    expect(wholeWorktree(request.repo, request.path)).toBe(recordOf(request.repo, 'task_1'));
  });

  it('of a user stays, also when its folder is missing', async () => {
    const repo = newRepo();
    const path = join(tempDir(), 'task_1');
    runGit(repo, 'worktree', 'add', '--quiet', '--detach', path);
    rmSync(path, { recursive: true });
    const request = requestIn(repo);
    await createWorktree(request, gitContext());
    await removeWorktree(repo, request.path, gitContext());
    expect(runGit(repo, 'worktree', 'list')).toContain(path);
  });
});

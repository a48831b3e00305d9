/**
 * The folder of a task: a git worktree on the task's branch, or a folder of its own without a repository. All steps of the
 * task on this host use it, one after the other.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { OWN_BRANCH } from '../../schema/contracts/tasks.ts';
import { makePrivateFolder } from '../host/own-files.ts';
import { removeTree } from '../host/remove-tree.ts';
import type { GitContext } from './git-command.ts';
import { GitError, git, gitSays } from './git-command.ts';
import { forgetWorktree, unlockBranch } from './interrupted.ts';
import { gitDirectoryOf } from './worktree-git.ts';

export interface TaskFolder {
  worktreesDir: string;
  taskId: string;
}

export function taskFolderPath({ worktreesDir, taskId }: TaskFolder): string {
  return join(worktreesDir, taskId);
}

export interface WorktreeRequest {
  repo: string;
  path: string;
  branch: string;
  baseSha: string;
}

/** Is there while the worktree is made: what a killed agent leaves then is no worktree to continue in. */
function unfinishedMark(path: string): string {
  return join(dirname(path), `.${basename(path)}.unfinished`);
}

/** The Git directory of a worktree that is whole; null when there is none. */
export function wholeWorktree(repo: string, path: string): string | null {
  return existsSync(path) && !existsSync(unfinishedMark(path)) ? gitDirectoryOf(repo, path) : null;
}

/**
 * Makes the worktree at the base commit on its branch, and fills it. One of this path is removed first.
 *
 * @throws GitError when a branch of that name is someone's work
 */
export async function createWorktree(
  request: WorktreeRequest,
  context: GitContext,
  fill: () => Promise<void> = async () => undefined,
): Promise<void> {
  const { repo, path } = request;
  await removeWorktree(repo, path, context);
  makePrivateFolder(dirname(path));
  writeFileSync(unfinishedMark(path), '', { mode: 0o600 });
  await addWorktree(request, context);
  await fill();
  rmSync(unfinishedMark(path));
}

async function addWorktree({ repo, path, branch, baseSha }: WorktreeRequest, context: GitContext): Promise<void> {
  if (OWN_BRANCH.test(branch)) await unlockBranch(repo, branch, context);
  else await requireFree(repo, branch, baseSha, context);
  // By plumbing: another worktree may still have the branch, such as that of a node on this machine that was taken over.
  await git(repo, ['worktree', 'add', '--quiet', '--detach', path, baseSha], context);
  await git(repo, ['update-ref', `refs/heads/${branch}`, baseSha], context);
  await git(path, ['symbolic-ref', 'HEAD', `refs/heads/${branch}`], context);
}

/** A branch of a person is not moved, nor committed to while a folder of that person has it. @throws GitError */
async function requireFree(repo: string, branch: string, baseSha: string, context: GitContext): Promise<void> {
  const ref = `refs/heads/${branch}`;
  const folders = (await git(repo, ['worktree', 'list', '--porcelain'], context)).split('\n');
  if (folders.includes(`branch ${ref}`)) {
    throw new GitError(`a folder of ${repo} has the branch ${branch} checked out: choose another branch_name`, null);
  }
  if (!(await gitSays(repo, ['show-ref', '--verify', '--quiet', ref], context))) return;
  const tip = (await git(repo, ['rev-parse', ref], context)).trim();
  if (tip === baseSha) return;
  throw new GitError(`${repo} has a branch ${branch} with other commits: choose another branch_name`, null);
}

/** Removes a worktree with everything in it; its branch stays. */
export async function removeWorktree(repo: string | null, path: string, context: GitContext): Promise<void> {
  await removeTree(path);
  if (repo !== null && existsSync(repo)) await forgetWorktree(repo, path, context);
  rmSync(unfinishedMark(path), { force: true });
}

const CHANGES = ['status', '--porcelain', '--untracked-files=normal', '--ignore-submodules=all'];

/**
 * Whether a worktree has changes that no commit has. Files that the repository ignores do not count. `context` is that of
 * the worktree. @throws GitError
 */
export async function hasUncommitted(path: string, context: GitContext): Promise<boolean> {
  return (await git(path, CHANGES, context)).trim() !== '';
}

/** Puts the changes of a `git_diff` checkpoint into a fresh worktree. @throws GitError when they do not fit */
export async function applyPatch(path: string, patchFile: string, context: GitContext): Promise<void> {
  await git(path, ['apply', '--binary', '--whitespace=nowarn', '--', patchFile], context);
}

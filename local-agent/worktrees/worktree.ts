/**
 * The folder of a task: a git worktree on the task's branch, or a folder of its own without a repository. All steps of the
 * task on this host use it, one after the other.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { makePrivateFolder } from '../host/own-files.ts';
import { removeTree } from '../host/remove-tree.ts';
import type { GitContext } from './git-command.ts';
import { GitError, git, gitSays } from './git-command.ts';
import { forgetWorktree, unlockBranch } from './interrupted.ts';

export interface TaskFolder {
  worktreesDir: string;
  taskId: string;
}

export function taskFolderPath({ worktreesDir, taskId }: TaskFolder): string {
  return join(worktreesDir, taskId);
}

/** Branches that the conductor names, and may therefore move. */
const OWN_BRANCH = /^conductor\//;

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

/** Whether there is a whole worktree. */
export function hasWorktree(path: string): boolean {
  return existsSync(join(path, '.git')) && !existsSync(unfinishedMark(path));
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
  const isTaken = await gitSays(repo, ['show-ref', '--verify', '--quiet', `refs/heads/${branch}`], context);
  if (isTaken && !OWN_BRANCH.test(branch)) {
    const tip = (await git(repo, ['rev-parse', `refs/heads/${branch}`], context)).trim();
    if (tip !== baseSha) {
      throw new GitError(`${repo} has a branch ${branch} with other commits: choose another branch_name`, null);
    }
  }
  // By plumbing: another worktree may still have the branch, such as that of a node on this machine that was taken over.
  await git(repo, ['worktree', 'add', '--quiet', '--detach', path, baseSha], context);
  await git(repo, ['update-ref', `refs/heads/${branch}`, baseSha], context);
  await git(path, ['symbolic-ref', 'HEAD', `refs/heads/${branch}`], context);
}

/** Removes a worktree with everything in it; its branch stays. */
export async function removeWorktree(repo: string | null, path: string, context: GitContext): Promise<void> {
  await removeTree(path);
  if (repo !== null && existsSync(repo)) await forgetWorktree(repo, path, context);
  rmSync(unfinishedMark(path), { force: true });
}

/** Puts the changes of a `git_diff` checkpoint into a fresh worktree. @throws GitError when they do not fit */
export async function applyPatch(path: string, patchFile: string, context: GitContext): Promise<void> {
  await git(path, ['apply', '--binary', '--whitespace=nowarn', '--', patchFile], context);
}

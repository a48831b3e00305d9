/**
 * The folder of a task: a git worktree on the task's branch, or a folder of its own without a repository. All steps of the
 * task on this host use it, one after the other.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { OWN_BRANCH } from '../../schema/contracts/tasks.ts';
import { makePrivateFolder } from '../host/own-files.ts';
import { removeTree } from '../host/remove-tree.ts';
import { chooseTip, isTasksOwn, readTip, readTipFacts } from './branch-tip.ts';
import type { GitContext } from './git-command.ts';
import { GitError, git } from './git-command.ts';
import { forgetWorktree, unlockBranch } from './interrupted.ts';
import { gitDirectoryOf, worktreeContext } from './worktree-git.ts';

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
  /** The newest commit that the task has made on any host, as its patch says. */
  head?: string | null;
  /** A step of the task has worked in this repository, from this node. */
  hasWorkedHere?: boolean;
}

/** Puts the work of a patch into a fresh worktree: at the base commit, or at a newer one than `patched`, where it was made. */
export type Fill = (newer: { patched: string; tip: string } | null) => Promise<void>;

/** Is there while the worktree is made: what a killed agent leaves then is no worktree to continue in. */
function unfinishedMark(path: string): string {
  return join(dirname(path), `.${basename(path)}.unfinished`);
}

/** The Git directory of a worktree that is whole; null when there is none. */
export function wholeWorktree(repo: string, path: string): string | null {
  return existsSync(path) && !existsSync(unfinishedMark(path)) ? gitDirectoryOf(repo, path) : null;
}

/**
 * Makes the worktree on its branch, with the files of the base commit and what `fill` puts there. One of this path is removed
 * first.
 *
 * @throws GitError when a branch of that name is someone's work, or becomes it meanwhile
 */
export async function createWorktree(
  request: WorktreeRequest,
  context: GitContext,
  fill: Fill | null = null,
): Promise<void> {
  const { repo, path } = request;
  await removeWorktree(repo, path, context);
  makePrivateFolder(dirname(path));
  writeFileSync(unfinishedMark(path), '', { mode: 0o600 });
  await addWorktree(request, context, fill);
  rmSync(unfinishedMark(path));
}

async function addWorktree(request: WorktreeRequest, context: GitContext, fill: Fill | null): Promise<void> {
  const { repo, path, branch, baseSha, head = null, hasWorkedHere = false } = request;
  const isOwn = OWN_BRANCH.test(branch);
  if (isOwn) await unlockBranch(repo, branch, context);
  else await requireNotInUse(request, context);
  const before = await readTip(repo, branch, context);
  const known = { base: baseSha, tip: before, head, hasPatch: fill !== null, hasWorkedHere };
  const facts = await readTipFacts(repo, known, context);
  if (!isOwn && before !== null && !isTasksOwn(facts)) throw taken(repo, branch);
  const tip = chooseTip(facts);
  const from = tip.files === 'patch' ? baseSha : tip.sha;
  // By plumbing: another worktree may still have the branch, such as that of a node on this machine that was taken over.
  await git(repo, ['worktree', 'add', '--quiet', '--detach', path, from], context);
  const { patched } = facts;
  if (tip.files !== 'tip') await fill?.(tip.files === 'both' && patched !== null ? { patched, tip: tip.sha } : null);
  await moveBranch(request, { before, after: tip.sha }, context);
  const inWorktree = worktreeContext(repo, path, context);
  await git(path, ['symbolic-ref', 'HEAD', `refs/heads/${branch}`], inWorktree);
  // The files have what the commits have; now the index says so too.
  if (from !== tip.sha) await git(path, ['reset', '--quiet', '--mixed'], inWorktree);
}

/**
 * Moves the branch of the task, which a person may have moved while the worktree was made.
 *
 * @throws GitError when it is not at `before` any more
 */
async function moveBranch(
  { repo, branch }: WorktreeRequest,
  { before, after }: { before: string | null; after: string },
  context: GitContext,
): Promise<void> {
  try {
    // An empty old value: the branch must not exist.
    await git(repo, ['update-ref', `refs/heads/${branch}`, after, before ?? ''], context);
  } catch (error) {
    if ((await readTip(repo, branch, context)) === before) throw error;
    const what = `the branch ${branch} of ${repo} was moved while the worktree of the task was made`;
    throw new GitError(`${what}; it stays as it is now: retry the task, or choose another branch_name`, null);
  }
}

/** What a person has checked out is not committed to. Another host on this machine may have the task's. @throws GitError */
async function requireNotInUse({ repo, path, branch }: WorktreeRequest, context: GitContext): Promise<void> {
  const blocks = (await git(repo, ['worktree', 'list', '--porcelain'], context)).split('\n\n');
  const folder = blocks
    .map((block) => block.split('\n'))
    .filter((lines) => lines.includes(`branch refs/heads/${branch}`))
    .map(([first = '']) => first.slice('worktree '.length))
    .find((one) => basename(one) !== basename(path));
  if (folder === undefined) return;
  throw new GitError(`the folder ${folder} has the branch ${branch} checked out: choose another branch_name`, null);
}

function taken(repo: string, branch: string): GitError {
  const mend = `rename it (git -C ${repo} branch -m ${branch} OTHER) and retry the task, or choose another branch_name`;
  return new GitError(`${repo} has a branch ${branch} with commits that are not those of the task: ${mend}`, null);
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

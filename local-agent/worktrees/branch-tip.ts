/**
 * Which commit the branch of a task gets in a fresh worktree: the newest that the task has made on any host. A branch is not
 * moved back to a commit of the patch that it follows. Commits that neither follow those of the patch nor precede them are of
 * an attempt that was lost: a branch of the conductor's own leaves them.
 */
import type { GitContext } from './git-command.ts';
import { git, gitSays } from './git-command.ts';

export interface TipFacts {
  base: string;
  /** What the branch is at in this repository; null when it does not exist, or does not follow the base commit. */
  branch: string | null;
  /** The newest commit when the patch was made, else the base commit; null when this repository does not have it. */
  patched: string | null;
  /** Which of these two follows the other; `same` also where one of them is null. */
  order: 'same' | 'patch_newer' | 'branch_newer' | 'apart';
  /** Without a patch there are the files of commits alone. */
  hasPatch: boolean;
  /** A step of the task has worked in this repository, from this node. */
  hasWorkedHere: boolean;
}

export interface Tip {
  sha: string;
  /** Whose files the worktree gets: `both` where the branch has commits beyond the patch, which has what none of them may have. */
  files: 'patch' | 'tip' | 'both';
}

export function chooseTip({ base, branch, patched, order, hasPatch }: Omit<TipFacts, 'hasWorkedHere'>): Tip {
  if (branch !== null && order === 'branch_newer') return { sha: branch, files: hasPatch ? 'both' : 'tip' };
  return { sha: patched ?? branch ?? base, files: hasPatch ? 'patch' : 'tip' };
}

/** Whether the commits of an existing branch are those of the task: its patch says so, or it had the branch here before. */
export function isTasksOwn({ base, branch, patched, order, hasWorkedHere }: TipFacts): boolean {
  const isNamed = patched !== null && patched !== base;
  return branch === base || (branch !== null && (isNamed || hasWorkedHere) && order !== 'apart');
}

export async function readTip(repo: string, branch: string, context: GitContext): Promise<string | null> {
  const ref = `refs/heads/${branch}`;
  if (!(await gitSays(repo, ['show-ref', '--verify', '--quiet', ref], context))) return null;
  return (await git(repo, ['rev-parse', ref], context)).trim();
}

const follows = (repo: string, newer: string, older: string, context: GitContext) =>
  gitSays(repo, ['merge-base', '--is-ancestor', older, newer], context);

interface Known {
  base: string;
  tip: string | null;
  /** As the patch names it; null when it names none. */
  head: string | null;
  hasPatch: boolean;
  hasWorkedHere: boolean;
}

export async function readTipFacts(
  repo: string,
  { base, tip, head, hasPatch, hasWorkedHere }: Known,
  context: GitContext,
): Promise<TipFacts> {
  const ifFollows = async (sha: string | null) =>
    sha !== null && (await follows(repo, sha, base, context)) ? sha : null;
  const branch = await ifFollows(tip);
  const patched = hasPatch && head === null ? base : await ifFollows(head);
  return { base, branch, patched, hasPatch, hasWorkedHere, order: await orderOf(repo, branch, patched, context) };
}

async function orderOf(
  repo: string,
  branch: string | null,
  patched: string | null,
  context: GitContext,
): Promise<TipFacts['order']> {
  if (branch === null || patched === null || branch === patched) return 'same';
  if (await follows(repo, patched, branch, context)) return 'patch_newer';
  return (await follows(repo, branch, patched, context)) ? 'branch_newer' : 'apart';
}

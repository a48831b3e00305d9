/**
 * What git leaves in a repository when it is killed while it makes a worktree: a folder of its records that is not whole,
 * on which every later `git worktree` of that repository fails, or one that it has locked; and locks of references.
 */
import { realpathSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { textOf } from '../host/git-repository.ts';
import { namesIn } from '../host/names-in.ts';
import { hasErrorCode } from '../lib/errno.ts';
import type { GitContext } from './git-command.ts';
import { git } from './git-command.ts';

/** The path as git writes it, where links of the folders above are resolved. */
function asGitSays(path: string): string {
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return path;
    throw error;
  }
}

/** Whether git's records of a worktree are of that path, or not whole. */
function isRecordOf(record: string, path: string): boolean {
  const link = textOf(join(record, 'gitdir')).trim();
  if (link === '' || textOf(join(record, 'commondir')).trim() === '' || textOf(join(record, 'HEAD')).trim() === '')
    return true;
  return [path, asGitSays(path)].includes(dirname(resolve(record, link)));
}

async function commonFolder(repo: string, context: GitContext): Promise<string> {
  return resolve(repo, (await git(repo, ['rev-parse', '--git-common-dir'], context)).trim());
}

/** Removes git's records of a worktree whose folder is gone, whole or not. Those of other worktrees stay. */
export async function forgetWorktree(repo: string, path: string, context: GitContext): Promise<void> {
  const records = join(await commonFolder(repo, context), 'worktrees');
  const own = basename(path);
  // Git adds a number when another worktree has the name.
  const names = namesIn(records).filter((name) => name.startsWith(own) && /^\d*$/.test(name.slice(own.length)));
  for (const name of names) {
    const record = join(records, name);
    if (isRecordOf(record, path)) rmSync(record, { recursive: true, force: true });
  }
}

/** Removes the lock of a branch that only the conductor moves. Nothing may move it meanwhile. */
export async function unlockBranch(repo: string, branch: string, context: GitContext): Promise<void> {
  rmSync(join(await commonFolder(repo, context), 'refs', 'heads', `${branch}.lock`), { force: true });
}

/** Removes the locks that a killed step has left in the Git directory of its worktree. Nothing may run in it. */
export function unlockWorktree(gitDirectory: string): void {
  for (const name of ['index.lock', 'HEAD.lock']) rmSync(join(gitDirectory, name), { force: true });
}

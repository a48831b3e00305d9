/**
 * Git in the worktree of a task. What a step has written there is not trusted: the file `.git` could name a Git directory
 * whose configuration runs programs, outside the sandbox of a coding agent. So git is given the Git directory that the
 * repository itself keeps for the worktree. It enters no submodule either, because git reads that one's own configuration.
 */
import { realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { indexedSubmodules } from '../host/git-index.ts';
import { findRepository, sharedDirectory, textOf } from '../host/git-repository.ts';
import { namesIn } from '../host/names-in.ts';
import type { GitContext } from './git-command.ts';
import { GitError } from './git-command.ts';

/** Of one index: about 500,000 files. */
const MAX_INDEX_BYTES = 64 * 1024 * 1024;

/** The Git directory that a repository keeps for a worktree; null when it has none. */
export function gitDirectoryOf(repo: string, worktree: string): string | null {
  try {
    const found = findRepository(repo);
    if (found === null) return null;
    const folder = join(sharedDirectory(found.directory), 'worktrees');
    const entry = join(realpathSync.native(dirname(worktree)), basename(worktree), '.git');
    const name = namesIn(folder).find((one) => textOf(join(folder, one, 'gitdir')).trim() === entry);
    return name === undefined ? null : join(folder, name);
  } catch {
    // The repository or the folder of worktrees is gone.
    return null;
  }
}

/** Git in that worktree. `inRepo` is that of its repository, whose configuration was checked. @throws GitError */
export function worktreeContext(repo: string, worktree: string, inRepo: GitContext): GitContext {
  // Git refuses this repository.
  if (inRepo.env.GIT_DIR !== undefined) return inRepo;
  const directory = gitDirectoryOf(repo, worktree);
  if (directory === null) throw new GitError(`${repo} has no worktree ${worktree} any more`, null);
  return { ...inRepo, env: { ...inRepo.env, GIT_DIR: directory, GIT_WORK_TREE: worktree } };
}

/** Gives the file `.git` of a worktree its content again, which a step may have changed. */
export function restoreGitFile(repo: string, worktree: string): void {
  const directory = gitDirectoryOf(repo, worktree);
  const path = join(worktree, '.git');
  const text = `gitdir: ${directory}\n`;
  if (directory === null || textOf(path) === text) return;
  rmSync(path, { recursive: true, force: true });
  writeFileSync(`${worktree}.git`, text);
  renameSync(`${worktree}.git`, path);
}

const LITERALLY = ':(exclude,top,literal)';

/** Pathspecs for everything but those submodules. */
export function allBut(submodules: readonly string[]): string[] {
  return ['.', ...submodules.map((path) => `${LITERALLY}${path}`)];
}

/** The submodules in the index of a worktree; `sha` is one of its commits. @throws GitError when they are not known */
export function submodulesOf(gitDirectory: string, sha: string): string[] {
  try {
    return indexedSubmodules(gitDirectory, sha.length / 2, { bytes: MAX_INDEX_BYTES });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new GitError(`the submodules of ${gitDirectory} are not known: ${why}`, null);
  }
}

/** Why the folder of a task that is done may not be removed yet: what is in it may be nowhere else. */
import { existsSync, readdirSync } from 'node:fs';
import type { GitContext } from './git-command.ts';
import { git } from './git-command.ts';
import { gitDirectoryOf, worktreeContext } from './worktree-git.ts';

const CHANGES = ['status', '--porcelain', '--untracked-files=normal', '--ignore-submodules=all'];
const BRANCHES = ['for-each-ref', '--count=1', '--contains', 'HEAD', 'refs/heads', 'refs/tags', 'refs/remotes'];

interface KeptFolder {
  path: string;
  /** The name of the repository; null for a task without one. */
  repo: string | null;
  /** Null where this host does not have it now. */
  repoPath: string | null;
}

/** Null when nothing would be lost. Files that the repository ignores do not count. @throws GitError */
export async function whyKept({ path, repo, repoPath }: KeptFolder, context: GitContext): Promise<string | null> {
  if (!existsSync(path) || readdirSync(path).length === 0) return null;
  if (repo === null) return 'it has files, and the task has no repository';
  if (repoPath === null) return `the repository ${repo} is not there, so what was committed is not known`;
  if (gitDirectoryOf(repoPath, path) === null) return `${repoPath} does not know it as a worktree any more`;
  const inWorktree = worktreeContext(repoPath, path, context);
  if ((await git(path, CHANGES, inWorktree)).trim() !== '') return 'it has changes that no commit has';
  if ((await git(path, BRANCHES, inWorktree)).trim() === '') return 'it has commits that no branch has';
  return null;
}

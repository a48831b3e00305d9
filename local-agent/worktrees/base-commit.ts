/**
 * The commit from which a task starts. The first run of a task fixes it: a commit that the remote has, where there is a
 * remote, so that another host can continue from it.
 */
import type { GitContext } from './git-command.ts';
import { GitError, git, gitSays } from './git-command.ts';

const FETCH_MS = 2 * 60_000;

async function commitOf(repo: string, ref: string, context: GitContext): Promise<string | null> {
  try {
    return (
      await git(repo, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`], context)
    ).trim();
  } catch (error) {
    if (error instanceof GitError) return null;
    throw error;
  }
}

async function remoteHas(repo: string, sha: string, context: GitContext): Promise<boolean> {
  return (await git(repo, ['branch', '-r', '--contains', sha], context)).trim() !== '';
}

/** The newest commit before `sha` that a remote branch has; null when no remote branch shares any. */
async function sharedAncestor(repo: string, sha: string, context: GitContext): Promise<string | null> {
  const branches = (await git(repo, ['for-each-ref', '--format=%(objectname)', 'refs/remotes'], context)).trim();
  if (branches === '') return null;
  const found = await git(repo, ['rev-list', '--boundary', sha, '--not', '--remotes'], context);
  return (
    found
      .split('\n')
      .find((line) => line.startsWith('-'))
      ?.slice(1) ?? null
  );
}

async function whyNoCommit(repo: string, ref: string, context: GitContext): Promise<string> {
  if (await gitSays(repo, ['rev-parse', '--git-dir'], context)) {
    return `${repo} has no commit ${ref}: name another base_ref, or fetch it there`;
  }
  return `${repo} is no Git repository: correct its line in [repos] of config.toml, or run git init there`;
}

/** @throws GitError when the repository has no such ref */
export async function resolveBase(repo: string, baseRef: string | null, context: GitContext): Promise<string> {
  const ref = baseRef ?? 'HEAD';
  const sha = (await commitOf(repo, ref, context)) ?? (await commitOf(repo, `origin/${ref}`, context));
  if (sha === null) throw new GitError(await whyNoCommit(repo, ref, context), null);
  const remotes = (await git(repo, ['remote'], context)).trim();
  if (remotes === '' || (await remoteHas(repo, sha, context))) return sha;
  return (await sharedAncestor(repo, sha, context)) ?? sha;
}

/** Makes sure that this host has the commit. @throws GitError when the remotes do not have it either */
export async function ensureCommit(repo: string, sha: string, context: GitContext): Promise<void> {
  if (await gitSays(repo, ['cat-file', '-e', `${sha}^{commit}`], context)) return;
  await git(repo, ['fetch', '--all', '--quiet'], context, { timeoutMs: FETCH_MS });
  if (await gitSays(repo, ['cat-file', '-e', `${sha}^{commit}`], context)) return;
  throw new GitError(`${repo} and its remotes do not have the commit ${sha} from which the task started`, null);
}

/**
 * The folder in which a step runs. A step that follows a run of this node uses the folder as that run left it. Otherwise the
 * folder is made from the base commit and the newest whole patch, so that the work of two hosts never mixes.
 */
import { existsSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import type { ClaimedRun } from '../../schema/contracts/runs.ts';
import { makePrivateFolder } from '../host/own-files.ts';
import { removeTree } from '../host/remove-tree.ts';
import { ensureCommit, resolveBase } from './base-commit.ts';
import type { GitContext } from './git-command.ts';
import { GitError } from './git-command.ts';
import { unlockWorktree } from './interrupted.ts';
import { applyPatch, createWorktree, taskFolderPath, wholeWorktree } from './worktree.ts';
import { restoreGitFile, worktreeContext } from './worktree-git.ts';

export interface OpenedFolder {
  path: string;
  repoPath: string | null;
  baseSha: string | null;
  /** It has what an earlier run left. */
  continuesWork: boolean;
}

export interface TaskFolderDeps {
  worktreesDir: string;
  repos: Readonly<Record<string, string>>;
  gitContext: (folder: string) => GitContext;
  /** The bytes of a checkpoint, from the edge. */
  readPatch: (checkpointId: string) => Promise<Buffer>;
  /** The newest run of the task on this node before this one; null when there is none. */
  lastRunHere: (taskId: string, runId: string) => { run_id: string; base_sha: string | null } | null;
}

/** The newest run of the task before this one, on any node. */
export function runBefore({ previous, outputs }: Pick<ClaimedRun, 'previous' | 'outputs'>): string | null {
  return previous?.run_id ?? outputs.findLast(({ run_id }) => run_id !== null)?.run_id ?? null;
}

function repoPathOf(name: string, repos: TaskFolderDeps['repos']): string {
  const path = repos[name];
  if (path === undefined)
    throw new GitError(`this host has no repository ${name}: add it to [repos] in config.toml`, null);
  if (!existsSync(path)) throw new GitError(`the repository ${name} is missing: ${path} does not exist`, null);
  return path;
}

async function openFresh(claim: ClaimedRun, path: string, repo: string, deps: TaskFolderDeps): Promise<OpenedFolder> {
  const { base_ref, branch_name, patch_checkpoint_id, base_sha } = claim.worktree;
  const context = deps.gitContext(repo);
  const baseSha = base_sha ?? (await resolveBase(repo, base_ref, context));
  await ensureCommit(repo, baseSha, context);
  const branch = branch_name ?? `conductor/${claim.task_id}`;
  await createWorktree({ repo, path, branch, baseSha }, context, async () => {
    if (patch_checkpoint_id !== null)
      await replay(path, patch_checkpoint_id, worktreeContext(repo, path, context), deps);
  });
  return { path, repoPath: repo, baseSha, continuesWork: patch_checkpoint_id !== null };
}

async function replay(
  path: string,
  checkpointId: string,
  context: GitContext,
  deps: Pick<TaskFolderDeps, 'readPatch'>,
): Promise<void> {
  const patch = await deps.readPatch(checkpointId);
  if (patch.length === 0) return;
  const file = `${path}.patch`;
  try {
    writeFileSync(file, patch, { mode: 0o600 });
    await applyPatch(path, file, context);
  } finally {
    rmSync(file, { force: true });
  }
}

/** @throws GitError when the repository is missing, or the work so far cannot be restored */
export async function openTaskFolder(claim: ClaimedRun, deps: TaskFolderDeps): Promise<OpenedFolder> {
  const { worktreesDir } = deps;
  const path = taskFolderPath({ worktreesDir, taskId: claim.task_id });
  const before = runBefore(claim);
  const last = deps.lastRunHere(claim.task_id, claim.run_id);
  const isOurs = before !== null && before === last?.run_id;
  const { repo } = claim.worktree;
  if (repo === null) {
    if (!isOurs) await removeTree(path);
    makePrivateFolder(path);
    return { path, repoPath: null, baseSha: null, continuesWork: isOurs && claim.previous !== null };
  }
  const repoPath = repoPathOf(repo, deps.repos);
  const baseSha = claim.worktree.base_sha ?? last?.base_sha ?? null;
  const gitDirectory = isOurs && baseSha !== null ? wholeWorktree(repoPath, path) : null;
  if (gitDirectory !== null) {
    restoreGitFile(repoPath, path);
    unlockWorktree(gitDirectory);
    return { path, repoPath, baseSha, continuesWork: claim.previous !== null };
  }
  return openFresh(claim, path, repoPath, deps);
}

/** Why a step can no longer run in its folder; null while it can. */
export function folderProblem(folder: Pick<OpenedFolder, 'path' | 'repoPath'>): string | null {
  const missing = [folder.repoPath, folder.path].find((path) => path !== null && !existsSync(path));
  return missing === undefined ? null : `${missing} does not exist any more`;
}

/** The configured repositories that are there now. */
export function presentRepos(repos: TaskFolderDeps['repos']): string[] {
  return Object.entries(repos).flatMap(([name, path]) => (existsSync(path) ? [name] : []));
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Why a step cannot run in that folder of its task; null when it can. A link in a repository may lead out of it. */
export function cwdProblem(folder: string, cwd: string): string | null {
  const path = join(folder, cwd);
  if (!isFolder(path)) return `${path}: the step runs there, and it is no folder`;
  const inside = relative(realpathSync(folder), realpathSync(path));
  const isOutside = inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside);
  return isOutside ? `cwd: ${cwd} is a link that leads out of the folder of the task; name a folder inside it` : null;
}

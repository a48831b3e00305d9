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
import { GitError, gitSays } from './git-command.ts';
import { unlockWorktree } from './interrupted.ts';
import { mergePatch } from './merge-patch.ts';
import { splitPatch } from './patch-commits.ts';
import type { Fill } from './worktree.ts';
import { applyPatch, createWorktree, taskFolderPath, wholeWorktree } from './worktree.ts';
import { restoreGitFile, worktreeContext } from './worktree-git.ts';

export interface OpenedFolder {
  path: string;
  repoPath: string | null;
  baseSha: string | null;
  /** It has what an earlier attempt at the step left. */
  continuesWork: boolean;
  /** Why it does not have all that earlier runs left; null where it has that, or there was none. */
  startsOver: string | null;
}

const NO_PATCH = 'starts over: the edge has no whole patch of the work before';
const MAX_NAMED = 5;
const NO_FILES = 'starts over in an empty folder: files of a task without a repository stay on the host that made them';

export interface TaskFolderDeps {
  worktreesDir: string;
  repos: Readonly<Record<string, string>>;
  gitContext: (folder: string) => GitContext;
  /** The bytes of a checkpoint, from the edge. */
  readPatch: (checkpointId: string) => Promise<Buffer>;
  /** The newest run of the task on this node before this one; null when there is none. */
  lastRunHere: (taskId: string, runId: string) => { run_id: string; base_sha: string | null } | null;
  /** A step of the task has been started on this node. */
  hasWorkedHere: (taskId: string) => boolean;
}

/** The newest run of the task before this one, on any node. */
export function runBefore({ previous, outputs }: Pick<ClaimedRun, 'previous' | 'outputs'>): string | null {
  return previous?.run_id ?? outputs.findLast(({ run_id }) => run_id !== null)?.run_id ?? null;
}

/** Whether the folder of a repository is there now. */
export function hasRepo(name: string, repos: TaskFolderDeps['repos']): boolean {
  return existsSync(repos[name] ?? '');
}

function repoPathOf(name: string, repos: TaskFolderDeps['repos']): string {
  const path = repos[name];
  if (path === undefined)
    throw new GitError(`this host has no repository ${name}: add it to [repos] in config.toml`, null);
  if (!hasRepo(name, repos)) throw new GitError(`the repository ${name} is missing: ${path} does not exist`, null);
  return path;
}

async function openFresh(claim: ClaimedRun, path: string, repo: string, deps: TaskFolderDeps): Promise<OpenedFolder> {
  const { base_ref, branch_name, patch_checkpoint_id, base_sha } = claim.worktree;
  const context = deps.gitContext(repo);
  const baseSha = base_sha ?? (await resolveBase(repo, base_ref, context));
  await ensureCommit(repo, baseSha, context);
  const branch = branch_name ?? `conductor/${claim.task_id}`;
  const work = patch_checkpoint_id === null ? null : splitPatch(await deps.readPatch(patch_checkpoint_id));
  makePrivateFolder(deps.worktreesDir);
  if (work?.commits?.bundle) await takeCommits(repo, `${path}.bundle`, work.commits.bundle, context);
  const hasWorkedHere = branch_name !== null && deps.hasWorkedHere(claim.task_id);
  const request = { repo, path, branch, baseSha, head: work?.commits?.head ?? null, hasWorkedHere };
  const hasWork = patch_checkpoint_id !== null;
  const inWorktree = () => worktreeContext(repo, path, context);
  let startsOver = !hasWork && runBefore(claim) !== null ? NO_PATCH : null;
  const fill: Fill = async (newer) => {
    if (work === null) return;
    const lost = await replay({ path, base: baseSha, diff: work.diff, newer }, inWorktree());
    startsOver = whyLost(lost, `the patch ${patch_checkpoint_id}`, branch);
  };
  await createWorktree(request, context, work === null ? null : fill);
  return { path, repoPath: repo, baseSha, continuesWork: hasWork && claim.previous !== null, startsOver };
}

/** Takes the commits of another host into the repository. Without them the work has only its files. */
async function takeCommits(repo: string, file: string, bundle: Buffer, context: GitContext): Promise<void> {
  try {
    writeFileSync(file, bundle, { mode: 0o600 });
    await gitSays(repo, ['bundle', 'unbundle', file], context);
  } finally {
    rmSync(file, { force: true });
  }
}

function whyLost(lost: string[], patch: string, branch: string): string | null {
  if (lost.length === 0) return null;
  const others = lost.length > MAX_NAMED ? `, and ${lost.length - MAX_NAMED} more` : '';
  const names = `${lost.slice(0, MAX_NAMED).join(', ')}${others}`;
  return `continues from ${patch} and from the commits of ${branch}, which have newer content of ${names}`;
}

interface Work {
  path: string;
  base: string;
  diff: Buffer;
  newer: Parameters<Fill>[0];
}

/** Returns what of the work gives way to the newer commits of the branch, see `mergePatch`. */
async function replay({ path, base, diff, newer }: Work, context: GitContext): Promise<string[]> {
  const file = `${path}.patch`;
  try {
    writeFileSync(file, diff, { mode: 0o600 });
    const patchFile = diff.length === 0 ? null : file;
    if (newer !== null) return await mergePatch({ path, base, ...newer, patchFile }, context);
    if (patchFile !== null) await applyPatch(path, patchFile, context);
    return [];
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
    const startsOver = !isOurs && before !== null ? NO_FILES : null;
    return { path, repoPath: null, baseSha: null, continuesWork: isOurs && claim.previous !== null, startsOver };
  }
  const repoPath = repoPathOf(repo, deps.repos);
  const baseSha = claim.worktree.base_sha ?? last?.base_sha ?? null;
  const gitDirectory = isOurs && baseSha !== null ? wholeWorktree(repoPath, path) : null;
  if (gitDirectory !== null) {
    restoreGitFile(repoPath, path);
    unlockWorktree(gitDirectory);
    return { path, repoPath, baseSha, continuesWork: claim.previous !== null, startsOver: null };
  }
  return openFresh(claim, path, repoPath, deps);
}

/** Why a step can no longer run in its folder; null while it can. */
export function folderProblem(folder: Pick<OpenedFolder, 'path' | 'repoPath'>): string | null {
  const missing = [folder.repoPath, folder.path].find((path) => path !== null && !existsSync(path));
  return missing === undefined ? null : `${missing} does not exist any more`;
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

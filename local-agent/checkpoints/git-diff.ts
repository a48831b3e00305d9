/**
 * What a task has changed since its base commit, as a patch that restores it byte for byte: commits, tracked and untracked
 * files, binary content, renames, modes and symbolic links. It is made with an index and a folder of objects of its own, so
 * that the index of the worktree stays as the step left it, and the repository does not grow with each checkpoint. What a
 * patch cannot carry is named: submodules, and files of Git LFS.
 */
import { copyFileSync, mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { removeTree } from '../host/remove-tree.ts';
import { isMissing } from '../lib/errno.ts';
import type { GitContext } from '../worktrees/git-command.ts';
import { GitError, git } from '../worktrees/git-command.ts';
import { allBut, submodulesOf } from '../worktrees/worktree-git.ts';

/** Content is taken as it is in the folder, regardless of the user's own settings for line ends. */
const AS_IT_IS = ['-c', 'core.autocrlf=false', '-c', 'core.safecrlf=false', '-c', 'core.quotePath=false'];
/** The objects are needed for one diff only. */
const QUICKLY = ['-c', 'core.looseCompression=1'];
const DIFF = ['diff', '--cached', '--no-ext-diff', '--no-textconv', '--no-color'];
const SUBMODULE_MODE = '160000';
const MAX_NAMED = 20;
const MAX_LISTED = 20_000;

export interface GitDiff {
  bytes: number;
  /** Paths whose changes the patch cannot carry. */
  unsupported: string[];
}

interface DiffRequest {
  worktree: string;
  baseSha: string;
  /** Where the patch is written. */
  file: string;
}

/** Changed paths with the modes before and after, from `--raw -z`. */
export function parseRawDiff(text: string): { modes: string[]; path: string }[] {
  const fields = text.split('\0');
  const found: { modes: string[]; path: string }[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [before = '', after = ''] = (fields[at] ?? '').slice(1).split(' ');
    found.push({ modes: [before, after], path: fields[at + 1] ?? '' });
  }
  return found;
}

/** Paths of which git says that LFS filters them, from `check-attr -z`. */
export function parseLfsPaths(text: string): string[] {
  const fields = text.split('\0');
  return fields.flatMap((path, n) => (n % 3 === 0 && fields[n + 2] === 'lfs' ? [path] : []));
}

/** All changes with their modes; null when they are too many to look at. */
async function changedPaths(worktree: string, baseSha: string, context: GitContext, env: Record<string, string>) {
  try {
    return parseRawDiff(await git(worktree, [...DIFF, '--raw', '-z', '--no-renames', baseSha], context, { env }));
  } catch (error) {
    if (error instanceof GitError && error.exitCode === 0) return null;
    throw error;
  }
}

async function unsupportedPaths(worktree: string, baseSha: string, context: GitContext, env: Record<string, string>) {
  const changed = await changedPaths(worktree, baseSha, context, env);
  // The patch is saved for a person, and never applied: nothing is known of what it lacks.
  if (changed === null) return ['more changed files than can be looked at'];
  const submodules = changed.filter(({ modes }) => modes.includes(SUBMODULE_MODE)).map(({ path }) => path);
  const paths = changed.slice(0, MAX_LISTED).map(({ path }) => path);
  if (paths.length === 0) return submodules;
  const stdin = `${paths.join('\0')}\0`;
  const attributes = await git(worktree, ['check-attr', '--stdin', '-z', 'filter'], context, { stdin });
  return [...submodules, ...parseLfsPaths(attributes)];
}

const MARGIN_MS = 1;

/**
 * Copies the worktree's index, which knows the files that have not changed and saves reading 100,000 of them. Git compares
 * the content of files that are as new as the index, so the copy must not be newer than what it copies. Returns the
 * submodules in it.
 */
async function copyIndex({ worktree, baseSha, index }: Staging, context: GitContext): Promise<string[]> {
  try {
    const path = await indexOf(worktree, context);
    const { mtimeMs } = statSync(path);
    copyFileSync(path, index);
    const asOld = new Date(Math.floor(mtimeMs) - MARGIN_MS);
    utimesSync(index, asOld, asOld);
    return submodulesOf(dirname(path), baseSha);
  } catch (error) {
    if (!isMissing(error)) throw error;
    return [];
  }
}

async function indexOf(worktree: string, context: GitContext): Promise<string> {
  const path = (await git(worktree, ['rev-parse', '--git-path', 'index'], context)).trim();
  return path.startsWith('/') ? path : join(worktree, path);
}

interface Staging {
  worktree: string;
  baseSha: string;
  /** Where the index lies that gets the files. */
  index: string;
}

/**
 * Takes all files of the worktree into an index of its own. `git add` would run `git status` in each submodule of the
 * index, with the configuration that a step may have written there, so submodules are taken by their HEAD alone.
 */
async function stageAll(staging: Staging, context: GitContext, env: Record<string, string>): Promise<void> {
  const { worktree } = staging;
  const submodules = await copyIndex(staging, context);
  await git(worktree, [...AS_IT_IS, ...QUICKLY, 'add', '--all', '--', ...allBut(submodules)], context, { env });
  if (submodules.length === 0) return;
  const stdin = submodules.map((path) => `${path}\0`).join('');
  await git(worktree, ['update-index', '--remove', '-z', '--stdin'], context, { env, stdin });
}

/** Gives git a folder for new objects beside the index, where it finds those of the repository too. */
async function ownObjects({ worktree, index }: Staging, context: GitContext): Promise<string> {
  const folder = `${index}.objects`;
  const shared = (await git(worktree, ['rev-parse', '--git-path', 'objects'], context)).trim();
  await removeTree(folder);
  mkdirSync(join(folder, 'info'), { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, 'info', 'alternates'), `${resolve(worktree, shared)}\n`);
  return folder;
}

/** Runs `act` with the variables by which git sees all files of the worktree as staged. */
async function withStaged<T>(
  staging: Staging,
  context: GitContext,
  act: (env: Record<string, string>) => Promise<T>,
): Promise<T> {
  const { index } = staging;
  const objects = await ownObjects(staging, context);
  const env = { GIT_INDEX_FILE: index, GIT_OBJECT_DIRECTORY: objects };
  try {
    await stageAll(staging, context, env);
    return await act(env);
  } finally {
    rmSync(index, { force: true });
    rmSync(`${index}.lock`, { force: true });
    await removeTree(objects);
  }
}

/** Writes the patch. @throws GitError, or the system's error when the disk is full */
export async function writeGitDiff({ worktree, baseSha, file }: DiffRequest, context: GitContext): Promise<GitDiff> {
  return withStaged({ worktree, baseSha, index: `${file}.index` }, context, async (env) => {
    const unsupported = await unsupportedPaths(worktree, baseSha, context, env);
    const options = ['--binary', '--full-index', '--find-renames', `--output=${file}`];
    await git(worktree, [...AS_IT_IS, ...DIFF, ...options, baseSha], context, { env });
    return { bytes: statSync(file).size, unsupported: unsupported.slice(0, MAX_NAMED) };
  });
}

/** What has changed, in a few lines for a person. */
export async function diffStat(worktree: string, baseSha: string, file: string, context: GitContext): Promise<string> {
  const options = ['--stat=120', '--stat-count=50'];
  return withStaged({ worktree, baseSha, index: `${file}.index` }, context, async (env) =>
    (await git(worktree, [...DIFF, ...options, baseSha], context, { env })).trimEnd(),
  );
}

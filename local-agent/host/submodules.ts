/**
 * The repositories that Git enters from another one, for example in `git status`: its submodules, and theirs. Their Git
 * directories are in `modules` of the Git directory around them, or where the entry `.git` of a submodule leads.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { configValues } from './git-config-values.ts';
import type { IndexBudget } from './git-index.ts';
import { indexedSubmodules, MAX_SUBMODULES } from './git-index.ts';
import type { Repository } from './git-repository.ts';
import { configFiles, leadsTo, repositoryAt, sharedDirectory, textOf } from './git-repository.ts';

/** Below the folders `modules` of all repositories together. */
const MAX_FOLDERS = 2_000;
/** Of all indexes together: about 500,000 files. */
const MAX_INDEX_BYTES = 64 * 1024 * 1024;
const SHA1_BYTES = 20;
const SHA256_BYTES = 32;

/** The Git directories to check, or why they are not all known. */
export type EnteredDirectories = { directories: readonly string[] } | { unknown: string };

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/**
 * The Git directories below `modules` of a Git directory, with those of submodules in submodules. A submodule's name may
 * hold slashes. Null when there are more folders than may still be read.
 */
function directoriesInModules(gitDirectory: string, budget: { folders: number }): string[] | null {
  const found: string[] = [];
  const folders = [join(gitDirectory, 'modules')];
  // The loop reaches what it adds.
  for (const folder of folders) {
    if (folders.length > budget.folders) return null;
    const entries = entriesOf(folder);
    if (entries.some(({ name }) => name === 'HEAD')) {
      found.push(folder);
      folders.push(join(folder, 'modules'));
      continue;
    }
    const below = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
    folders.push(...below.map(({ name }) => join(folder, name)));
  }
  // The folder `modules` itself does not count: each repository may have one.
  budget.folders -= folders.length - 1;
  return found;
}

/** Every value of a setting in the repository's own configuration, in any section. */
function settingsOf(directory: string, name: string): string[] {
  return configFiles(directory).flatMap((file) => configValues(textOf(file), name));
}

/** The folders from which the paths of the index may start. */
function workTrees({ directory, workTree }: Repository): string[] {
  return [workTree, ...settingsOf(directory, 'worktree').map((path) => leadsTo(directory, path))];
}

/** The submodules in a repository's index that are there. @throws an Error that says why they are not known */
function submodulesOf(repository: Repository, budget: IndexBudget): Repository[] {
  const { directory } = repository;
  const isSha256 = settingsOf(directory, 'objectformat').some((format) => format.toLowerCase() === 'sha256');
  const paths = indexedSubmodules(directory, isSha256 ? SHA256_BYTES : SHA1_BYTES, budget);
  return workTrees(repository).flatMap((folder) => paths.flatMap((path) => repositoryAt(leadsTo(folder, path)) ?? []));
}

/** The Git directory of a repository and those that Git enters from there. */
export function enteredDirectories(first: Repository): EnteredDirectories {
  const directories = new Set<string>();
  const repositories = new Map([[keyOf(first), first]]);
  const budget = { bytes: MAX_INDEX_BYTES, folders: MAX_FOLDERS };
  /** Git directories whose `modules` have been read. */
  const looked = new Set<string>();
  // The loop reaches what it adds.
  for (const repository of repositories.values()) {
    const { directory } = repository;
    directories.add(directory);
    for (const holder of new Set([directory, sharedDirectory(directory)])) {
      if (looked.has(holder)) continue;
      const found = directoriesInModules(holder, budget);
      if (found === null) {
        return { unknown: `${join(holder, 'modules')} holds too many folders to check their configuration` };
      }
      for (const one of [holder, ...found]) looked.add(one);
      for (const one of found) directories.add(one);
    }
    try {
      for (const one of submodulesOf(repository, budget)) repositories.set(keyOf(one), one);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { unknown: `its submodules are not known from ${join(directory, 'index')}: ${why}` };
    }
    if (repositories.size > MAX_SUBMODULES) {
      return { unknown: `it has more than ${MAX_SUBMODULES} submodules, too many to check their configuration` };
    }
  }
  return { directories: [...directories] };
}

function keyOf({ directory, workTree }: Repository): string {
  return `${directory}\0${workTree}`;
}

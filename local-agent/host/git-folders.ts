/**
 * Folders that Git takes for a repository, under any name. Such a folder has a file `HEAD` beside `objects` and
 * `refs`, or beside `commondir`, which names another folder that has them. Its configuration names programs that a plain
 * `git status` runs, so writing in it would amount to running programs.
 */
import { lstatSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, sep } from 'node:path';

/** Characters that some file systems ignore in names. */
const IGNORED_CHARACTERS = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;
const LAYOUT_NAMES: ReadonlySet<string> = new Set(['objects', 'refs', 'commondir']);

/** A path in the form in which protected names are compared: some file systems ignore case or normalise names. */
export function foldPath(path: string): string {
  if (/^\p{ASCII}*$/u.test(path)) return path.toLowerCase();
  return path.normalize('NFC').replaceAll(IGNORED_CHARACTERS, '').toLowerCase();
}

function exists(folder: string, name: string): boolean {
  try {
    return lstatSync(join(folder, name), { throwIfNoEntry: false }) !== undefined;
  } catch {
    // A path through a file, or a folder that may not be entered: Git does not find it either.
    return false;
  }
}

export function isGitFolder(folder: string): boolean {
  if (!exists(folder, 'HEAD')) return false;
  return (exists(folder, 'objects') && exists(folder, 'refs')) || exists(folder, 'commondir');
}

function namesBelow(root: string, path: string): string[] {
  return path.slice(root.length).split(sep).filter(Boolean);
}

/** Whether a path strictly below `root` leads into `.git`. */
export function hasGitName(root: string, path: string): boolean {
  return namesBelow(root, path).some((name) => foldPath(name) === '.git');
}

/** Whether a path strictly below `root` is or lies in a folder that Git takes for a repository. */
export function isInGitFolder(root: string, path: string): boolean {
  let folder = root;
  return namesBelow(root, path).some((name) => {
    folder = join(folder, name);
    return isGitFolder(folder);
  });
}

/** The same for many paths in one turn: each folder is looked at once. */
export function gitFolderLook(): typeof isInGitFolder {
  const known = new Map<string, boolean>();
  const look = (root: string, path: string): boolean => {
    if (path === root || dirname(path) === path) return false;
    const before = known.get(path);
    if (before !== undefined) return before;
    const found = look(root, dirname(path)) || isGitFolder(path);
    known.set(path, found);
    return found;
  };
  return look;
}

/**
 * Whether a new entry at a path below `root` could turn its folder into a repository. `HEAD` is refused everywhere: with
 * it, folders and files of ordinary names would be enough. The names below `existing` are those of new entries.
 */
export function completesGitFolder(root: string, path: string, existing = dirname(path)): boolean {
  if (namesBelow(existing, path).some((name) => foldPath(name) === 'head')) return true;
  for (let at = path; at !== root && dirname(at) !== at; at = dirname(at)) {
    if (LAYOUT_NAMES.has(foldPath(basename(at))) && exists(dirname(at), 'HEAD')) return true;
  }
  return false;
}

/** The user's configuration of Git, which names programs as well. */
export function gitConfigurationPaths(): string[] {
  const home = homedir();
  const folders = [join(home, '.config'), ...(process.env.XDG_CONFIG_HOME ? [process.env.XDG_CONFIG_HOME] : [])];
  return [join(home, '.gitconfig'), ...folders.map((folder) => join(folder, 'git'))];
}

/** Whether the name is that of a user's configuration of Git, as it is kept in a collection of such files too. */
export function isGitConfiguration(path: string): boolean {
  return foldPath(basename(path)) === '.gitconfig';
}

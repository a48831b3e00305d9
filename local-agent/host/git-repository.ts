/** Where Git looks for a repository, and for the files of its configuration. */
import { lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readRegularFile } from './regular-file.ts';

/** A larger configuration is not read, and not trusted either. */
export const MAX_CONFIG_BYTES = 1024 * 1024;
const MAX_FOLDERS_UP = 256;

export interface Repository {
  /** Its Git directory. */
  directory: string;
  /** The folder with its files. */
  workTree: string;
}

/** The text of a file; empty when it cannot be read, is too large, or is no regular file. */
export function textOf(path: string): string {
  return readRegularFile(path, MAX_CONFIG_BYTES)?.toString('utf8') ?? '';
}

function kindOf(path: string): 'file' | 'folder' | null {
  try {
    const found = statSync(path);
    return found.isDirectory() ? 'folder' : 'file';
  } catch {
    return null;
  }
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/** Where a path leads that is written in a folder: the system follows a link before the `..` behind it. */
export function leadsTo(folder: string, path: string): string {
  try {
    return realpathSync.native(path.startsWith('/') ? path : `${folder}/${path}`);
  } catch {
    return resolve(folder, path);
  }
}

/** Whether Git takes a folder for a Git directory. `HEAD` may be a link to a branch that is packed, so to no file. */
function isGitDirectory(path: string): boolean {
  const isShared = kindOf(join(path, 'commondir')) === 'file';
  return isThere(join(path, 'HEAD')) && (isShared || kindOf(join(path, 'objects')) === 'folder');
}

/** The repository whose files lie in exactly this folder, by the entry `.git`; null when there is none. */
export function repositoryAt(folder: string): Repository | null {
  const entry = join(folder, '.git');
  const kind = kindOf(entry);
  if (kind === 'file') {
    const target = /^gitdir: *(.*)$/m.exec(textOf(entry))?.[1]?.trimEnd();
    return { directory: target ? leadsTo(folder, target) : entry, workTree: folder };
  }
  return kind === 'folder' && isGitDirectory(entry) ? { directory: entry, workTree: folder } : null;
}

/** The repository that Git finds from a folder: the nearest above, as Git looks for it. */
export function findRepository(folder: string): Repository | null {
  let at = realpathSync.native(folder);
  for (let n = 0; n < MAX_FOLDERS_UP; n++) {
    const found = repositoryAt(at);
    if (found !== null) return found;
    if (isGitDirectory(at)) return { directory: at, workTree: at };
    const parent = dirname(at);
    if (parent === at) return null;
    at = parent;
  }
  return null;
}

/** The folder that the worktrees of a repository share. */
export function sharedDirectory(directory: string): string {
  const common = textOf(join(directory, 'commondir')).trim();
  return common === '' ? directory : leadsTo(directory, common);
}

/** The files of a repository's own configuration. */
export function configFiles(directory: string): string[] {
  return [join(sharedDirectory(directory), 'config'), join(directory, 'config.worktree')];
}

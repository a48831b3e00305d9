/**
 * The folders that tools may read and write. A path is admitted after its symbolic links are resolved, and again by the
 * real path of what was opened. Files of the agent itself and files of Git are refused even inside a root.
 */
import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { errorCode } from '../lib/errno.ts';
import {
  completesGitFolder,
  foldPath,
  gitConfigurationPaths,
  gitFolderLook,
  hasGitName,
  isGitConfiguration,
  isGitFolder,
  isInGitFolder,
} from './git-folders.ts';
import { homeFolder } from './own-files.ts';
import { tooDeep } from './path-levels.ts';

export const FILE_ERROR_CODES = [
  'path_outside_roots',
  'path_protected',
  'invalid_path',
  'not_found',
  'exists',
  'not_a_file',
  'not_a_directory',
  'hard_linked',
  'not_utf8',
  'too_large',
  'changed',
  'permission_denied',
  'io_error',
] as const;
export type FileErrorCode = (typeof FILE_ERROR_CODES)[number];

/** An expected failure of a file operation. */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly code: FileErrorCode;

  constructor(code: FileErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

const SYSTEM_CODES: Record<string, FileErrorCode> = {
  ENOENT: 'not_found',
  EEXIST: 'exists',
  ENOTDIR: 'not_a_directory',
  EISDIR: 'not_a_file',
  ENXIO: 'not_a_file',
  ELOOP: 'path_outside_roots',
  EACCES: 'permission_denied',
  EPERM: 'permission_denied',
  EROFS: 'permission_denied',
  ENAMETOOLONG: 'invalid_path',
  ERR_INVALID_ARG_VALUE: 'invalid_path',
};

/** An error of the system as an expected failure; codes that are not listed become `io_error`. */
export function asFileError(error: unknown, path: string): FileError {
  if (error instanceof FileError) return error;
  const system = errorCode(error) ?? '';
  const code = SYSTEM_CODES[system] ?? 'io_error';
  return new FileError(
    code,
    `${path}: ${code.replaceAll('_', ' ')}${code === 'io_error' ? ` (${system || error})` : ''}`,
  );
}

/** @throws FileError for an absolute path that is too deep */
export function assertLevels(path: string): void {
  const why = tooDeep(path);
  if (why !== null) throw new FileError('invalid_path', why);
}

/** Expands `~` and `~/…` to the home of the user that runs the agent. */
export function expandHome(path: string): string {
  if (path === '~') return homeFolder();
  return path.startsWith('~/') ? join(homeFolder(), path.slice(2)) : path;
}

/** Resolves links as far as the path exists. What is made there later has this path. */
export function resolveExisting(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(resolveExisting(parent), basename(path));
  }
}

/** Whether the path is that folder or lies below it; both are absolute. */
export function contains(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** Whether a path is, or lies in, a file that wrangler reads secrets from: the edge's bootstrap secret is one of them. */
function isSecretsFile(path: string): boolean {
  return foldPath(path)
    .split(sep)
    .some((name) => name.startsWith('.dev.vars'));
}

export interface Roots {
  /** The first root. Relative paths start here when no `cwd` is given. */
  home: string;
  /** The real paths of all roots. */
  folders: readonly string[];
  /** The absolute form of a path that a tool was given; `~` is the home folder. Resolves no links. @throws FileError when it is too deep */
  resolve(path: string, cwd?: string): string;
  /** @throws FileError unless the real path lies in a root and belongs neither to the agent nor to Git */
  admit(realPath: string): void;
  /**
   * Like `admit`, but a repository or a configuration of Git under another name than `.git` is admitted. Git trusts only
   * what this refuses, so that it does not depend on what the file tools recognise.
   */
  admitReachable(realPath: string): void;
  /**
   * Like `admit`, for a path that is to be written. The folders between `existing` and it are made too; without
   * `existing` its folder exists. @throws FileError when one of them could make a repository of its folder
   */
  admitChange(realPath: string, existing?: string): void;
  /** The same roots for many paths in one turn: what is known of a folder is not looked up again. Not to be kept longer. */
  forOneTurn(): Roots;
}

const IS_GIT = 'belongs to Git and can name programs to run; use git itself';
const COMPLETES_GIT =
  'would make a folder a Git repository, whose configuration can name programs to run; use git itself';

/**
 * @param roots folders from the policy; `~` is expanded
 * @param protectedPaths files and folders of the agent: its policy, configuration and state
 */
export function openRoots(roots: readonly string[], protectedPaths: readonly string[]): Roots {
  const folded = (paths: readonly string[]) => paths.map((path) => foldPath(resolveExisting(resolve(path))));
  return rootsAt({
    real: roots.map((root) => resolveExisting(resolve(expandHome(root)))),
    own: folded(protectedPaths),
    gitConfiguration: folded(gitConfigurationPaths()),
    isInGit: isInGitFolder,
  });
}

/** What is resolved once. */
interface Resolved {
  /** The real paths of the roots. */
  real: readonly string[];
  /** The agent's own paths and those of Git's configuration, in the form in which they are compared. */
  own: readonly string[];
  gitConfiguration: readonly string[];
  isInGit: typeof isInGitFolder;
}

function rootsAt(resolved: Resolved): Roots {
  const { real, own, gitConfiguration, isInGit } = resolved;
  const home = real[0];
  if (home === undefined) throw new FileError('path_outside_roots', 'no roots are configured');
  const isOneOf = (paths: readonly string[], path: string) => {
    const folded = foldPath(path);
    return paths.some((one) => contains(one, folded));
  };
  const admitReachable = (path: string): string[] => {
    const inside = real.filter((root) => contains(root, path));
    if (inside.length === 0) {
      throw new FileError('path_outside_roots', `${path} lies outside the configured roots (${real.join(', ')})`);
    }
    if (inside.every((root) => hasGitName(root, path))) throw new FileError('path_protected', `${path} ${IS_GIT}`);
    if (isSecretsFile(path)) {
      throw new FileError('path_protected', `${path} holds secrets of a Worker and cannot be touched by a tool`);
    }
    if (isOneOf(own, path)) {
      throw new FileError('path_protected', `${path} belongs to the agent and cannot be touched by a tool`);
    }
    return inside;
  };
  const admit = (path: string) => {
    // A link may lead to a path that is deeper than the one that a tool was given.
    assertLevels(path);
    const inside = admitReachable(path);
    const isGits = inside.every((root) => hasGitName(root, path) || isInGit(root, path));
    if (isGits || isGitConfiguration(path) || isOneOf(gitConfiguration, path)) {
      throw new FileError('path_protected', `${path} ${IS_GIT}`);
    }
  };
  return {
    home,
    folders: real,
    resolve(path, cwd) {
      if (path.includes('\0') || cwd?.includes('\0')) throw new FileError('invalid_path', 'a path cannot contain NUL');
      const base = cwd === undefined ? home : resolve(home, expandHome(cwd));
      const absolute = resolve(base, expandHome(path));
      assertLevels(absolute);
      return absolute;
    },
    admit,
    admitReachable: (path) => void admitReachable(path),
    admitChange(path, existing) {
      admit(path);
      // A repository that a person made a root is that person's choice.
      const inside = real.filter((root) => contains(root, path) && !isGitFolder(root));
      if (inside.length > 0 && inside.every((root) => completesGitFolder(root, path, existing))) {
        throw new FileError('path_protected', `${path} ${COMPLETES_GIT}`);
      }
    },
    forOneTurn: () => rootsAt({ ...resolved, isInGit: gitFolderLook() }),
  };
}

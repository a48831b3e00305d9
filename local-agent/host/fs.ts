/**
 * Files for tools. Nothing outside the roots is read or written: the path is resolved and admitted, then opened
 * without following a last link or waiting for a writer, and what was opened is admitted again. Only regular files
 * with one name are read: a hard link may be the second name of a file elsewhere. A write is whole or not there: it
 * goes to a new file in the same folder, is synced, and takes the name in one step; without `overwrite` that step
 * refuses a name that is taken.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { hasErrorCode, isMissing } from '../lib/errno.ts';
import { Folder, realPathOf } from './folder.ts';
import type { Roots } from './roots.ts';
import { asFileError, FileError } from './roots.ts';

export interface Slice {
  bytes: Buffer;
  /** Whole size of the file. */
  size: number;
  /** When its content or its state last changed, which no program can set back: nanoseconds of the system's clock. */
  changedAtNs: bigint;
}

export interface Place {
  folder: Folder;
  name: string;
}

/** The real path of what exists; null when there is nothing of that name. A dangling link leads outside. */
export function realIfThere(path: string): string | null {
  try {
    return realpathSync.native(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  try {
    if (lstatSync(path).isSymbolicLink()) throw new FileError('path_outside_roots', `${path} is a link to nothing`);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return null;
}

/** Opens the folder at `path`, making what is missing one level at a time, each inside the one before. */
function openFolder(path: string, roots: Roots, createParents: boolean): Folder {
  const real = realIfThere(path);
  if (real !== null) {
    roots.admit(real);
    return Folder.open(real, roots);
  }
  roots.admit(dirname(path) === path ? path : join(realParent(path), basename(path)));
  if (!createParents) throw new FileError('not_found', `${dirname(path)}: no such folder; create_parents makes it`);
  const parent = openFolder(dirname(path), roots, true);
  try {
    try {
      mkdirSync(parent.at(basename(path)), { mode: 0o755 });
    } catch (error) {
      if (!hasErrorCode(error, 'EEXIST')) throw error;
    }
    return parent.enter(basename(path), roots);
  } finally {
    parent.close();
  }
}

/** The real path of the nearest folder that exists, with the rest as it is written. */
function realParent(path: string): string {
  const parent = dirname(path);
  const real = realIfThere(parent);
  return real ?? (parent === path ? path : join(realParent(parent), basename(parent)));
}

/** The folder of a path, opened, and the name in it. The caller closes the folder. */
export function placeFor(path: string, roots: Roots, createParents: boolean): Place {
  const real = realIfThere(path) ?? path;
  const name = basename(real);
  if (name === '') throw new FileError('not_a_file', `${path}: not a file`);
  const folder = openFolder(dirname(real), roots, createParents);
  try {
    roots.admit(join(folder.path, name));
    return { folder, name };
  } catch (error) {
    folder.close();
    throw error;
  }
}

/** Runs `run`; what goes wrong is a FileError about `path`. */
export function guarded<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw asFileError(error, path);
  }
}

function hardLinked(path: string): FileError {
  return new FileError('hard_linked', `${path} has other names, which may lie outside the roots`);
}

/** Opens a regular file inside the roots, for reading. The caller closes it. */
function openFile(path: string, roots: Roots): number {
  const real = realIfThere(path);
  if (real === null) {
    roots.admit(join(realParent(path), basename(path)));
    throw new FileError('not_found', `${path}: not found`);
  }
  roots.admit(real);
  const fd = openSync(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = fstatSync(fd);
    if (!found.isFile()) throw new FileError('not_a_file', `${path}: not a regular file`);
    if (found.nlink > 1) throw hardLinked(path);
    roots.admit(realPathOf(fd, real));
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Reads up to `length` bytes from `offset`.
 *
 * @throws FileError
 */
export function readFileSlice(roots: Roots, path: string, range: { offset: number; length: number }): Slice {
  return guarded(path, () => {
    const fd = openFile(path, roots);
    try {
      const { size: bigSize, ctimeNs: changedAtNs } = fstatSync(fd, { bigint: true });
      const size = Number(bigSize);
      const wanted = Math.max(0, Math.min(range.length, size - range.offset));
      const bytes = Buffer.alloc(wanted);
      let filled = 0;
      while (filled < wanted) {
        const count = readSync(fd, bytes, filled, wanted - filled, range.offset + filled);
        if (count === 0) break;
        filled += count;
      }
      return { bytes: bytes.subarray(0, filled), size, changedAtNs };
    } finally {
      closeSync(fd);
    }
  });
}

/** What stands at a path before it is changed; called with the folder held open, just before the change. */
export type Keep = (before: { path: string; bytes: Buffer | null; mode: number | null }) => void;

/** A larger file is not replaced by a tool: its content could not be kept. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024;

/**
 * The content of the regular file of that name; null when there is none. `anyNames`: though it has other names; that is
 * for keeping it only, never for what is told or written elsewhere.
 */
export function contentOf({ folder, name }: Place, { anyNames }: { anyNames: boolean }): Buffer | null {
  let fd: number;
  try {
    fd = openSync(folder.at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  try {
    const found = fstatSync(fd);
    if (!found.isFile()) throw new FileError('not_a_file', `${join(folder.path, name)}: not a regular file`);
    if (found.nlink > 1 && !anyNames) throw hardLinked(join(folder.path, name));
    if (found.size > MAX_KEPT_BYTES) {
      throw new FileError('too_large', `${join(folder.path, name)} exceeds ${MAX_KEPT_BYTES} bytes, too many to keep`);
    }
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Refuses what may not be replaced; gives the mode that the new file takes over. */
function modeOfExisting({ folder, name }: Place, overwrite: boolean): number | null {
  try {
    const found = lstatSync(folder.at(name));
    if (!found.isFile()) throw new FileError('not_a_file', `${join(folder.path, name)}: not a regular file`);
    if (!overwrite) throw new FileError('exists', `${join(folder.path, name)} exists; overwrite replaces it`);
    return found.mode & 0o777;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function writeTemporary(place: Place, temporary: string, bytes: Buffer, mode: number | null, roots: Roots): void {
  const path = place.folder.at(temporary);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const fd = openSync(path, flags, 0o644);
  try {
    roots.admit(realPathOf(fd, path));
    if (mode !== null) fchmodSync(fd, mode);
    let written = 0;
    while (written < bytes.length) written += writeSync(fd, bytes, written);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Writes a whole file, atomically.
 *
 * @param options.temporary a name that nothing in the folder has
 * @param options.keep is given what is about to be replaced; when it throws nothing is
 * @throws FileError; then the file is as it was before
 */
export function writeWholeFile(
  roots: Roots,
  path: string,
  bytes: Buffer,
  options: { overwrite: boolean; createParents: boolean; temporary: string; keep?: Keep },
): { replaced: boolean; path: string } {
  return guarded(path, () => {
    const place = placeFor(path, roots, options.createParents);
    const { folder, name } = place;
    try {
      const mode = modeOfExisting(place, options.overwrite);
      let temporaryThere = true;
      try {
        writeTemporary(place, options.temporary, bytes, mode, roots);
        options.keep?.({
          path: join(folder.path, name),
          bytes: mode === null ? null : contentOf(place, { anyNames: true }),
          mode,
        });
        if (options.overwrite) {
          renameSync(folder.at(options.temporary), folder.at(name));
          temporaryThere = false;
        } else linkSync(folder.at(options.temporary), folder.at(name));
      } finally {
        if (temporaryThere) removeQuietly(folder.at(options.temporary));
      }
      fsyncSync(folder.fd);
      return { replaced: mode !== null, path: join(folder.path, name) };
    } finally {
      folder.close();
    }
  });
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Runs `use` with a path of the folder that stays right however the folder's own path is swapped. */
export async function withFolder<T>(roots: Roots, path: string, use: (path: string) => Promise<T>): Promise<T> {
  const folder = guarded(path, () => openFolder(path, roots, false));
  try {
    return await use(folder.at(''));
  } finally {
    folder.close();
  }
}

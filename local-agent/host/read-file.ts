/**
 * Reading files for tools. A file is opened without following a last link or waiting for a writer, and what was opened is
 * admitted again. Only regular files with one name are read: a hard link may be the second name of a file outside the
 * roots.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { isMissing } from '../lib/errno.ts';
import { realPathOf } from './folder.ts';
import type { Place } from './place.ts';
import { asFileOperation, openPlace, realPathIfExists, withRealParent } from './place.ts';
import type { Roots } from './roots.ts';
import { FileError } from './roots.ts';

export interface FileSlice {
  bytes: Buffer;
  /** Size of the whole file. */
  size: number;
  /** When content or metadata last changed: nanoseconds of the system's clock, which no program can set back. */
  changedAtNs: bigint;
}

/** A larger file is not replaced by a tool, as its content could not be kept. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024;
const READ_ONLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

function hardLinked(path: string): FileError {
  return new FileError('hard_linked', `${path} has other names, which may lie outside the roots`);
}

/** Opens a regular file inside the roots. The caller closes it. */
function openFile(path: string, roots: Roots): number {
  const real = realPathIfExists(path);
  if (real === null) {
    roots.admit(withRealParent(path));
    throw new FileError('not_found', `${path}: not found`);
  }
  roots.admit(real);
  const fd = openSync(real, READ_ONLY);
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
export function readFileSlice(roots: Roots, path: string, range: { offset: number; length: number }): FileSlice {
  return asFileOperation(path, () => {
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

export interface NameRule {
  /** Allow a file with other names (hard links): to keep its content, never to show it or write it to another place. */
  anyNames: boolean;
}

/** The content of the regular file of that name; null when there is none. */
export function contentOf({ folder, name }: Place, { anyNames }: NameRule): Buffer | null {
  const path = join(folder.path, name);
  let fd: number;
  try {
    fd = openSync(folder.at(name), READ_ONLY);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  try {
    const found = fstatSync(fd);
    if (!found.isFile()) throw new FileError('not_a_file', `${path}: not a regular file`);
    if (found.nlink > 1 && !anyNames) throw hardLinked(path);
    if (found.size > MAX_KEPT_BYTES) {
      throw new FileError('too_large', `${path} exceeds ${MAX_KEPT_BYTES} bytes, too many to keep`);
    }
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * The whole content of a regular file inside the roots; null when there is none.
 *
 * @throws FileError
 */
export function readWholeFile(roots: Roots, path: string, names: NameRule): Buffer | null {
  try {
    return asFileOperation(path, () => {
      const place = openPlace(path, roots, false);
      try {
        return contentOf(place, names);
      } finally {
        place.folder.close();
      }
    });
  } catch (error) {
    if (error instanceof FileError && error.code === 'not_found') return null;
    throw error;
  }
}

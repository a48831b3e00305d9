/**
 * Reading files for tools. A file is opened without following a last link or waiting for a writer, and what was opened is
 * admitted again. Only regular files with one name are read: a hard link may be the second name of a file outside the
 * roots.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { hardLinked } from './entry.ts';
import { realPathOf } from './folder.ts';
import { asFileOperation, notFound, realPathIfExists, withRealParent } from './place.ts';
import type { Roots } from './roots.ts';
import { FileError } from './roots.ts';

export interface FileSlice {
  bytes: Buffer;
  /** Size of the whole file. */
  size: number;
  /** When content or metadata last changed: nanoseconds of the system's clock, which no program can set back. */
  changedAtNs: bigint;
}

interface SliceRange {
  offset: number;
  length: number;
}

const READ_ONLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The real path of a file that exists. @throws FileError */
function existingPath(path: string, roots: Roots): string {
  const real = realPathIfExists(path);
  if (real !== null) return real;
  roots.admit(withRealParent(path));
  throw notFound(path);
}

/**
 * Opens a regular file inside the roots by its real path. The caller closes it. Errors name `shown`.
 *
 * @throws FileError also when the path leads to another file by now
 */
function openFile(real: string, roots: Roots, shown: string): number {
  roots.admit(real);
  const fd = openSync(real, READ_ONLY);
  try {
    const found = fstatSync(fd);
    if (!found.isFile()) throw new FileError('not_a_file', `${shown}: not a regular file`);
    if (found.nlink > 1) throw hardLinked(shown);
    const opened = realPathOf(fd, real);
    roots.admit(opened);
    if (opened !== real) throw new FileError('changed', `${shown} was swapped while it was opened`);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function readSlice(fd: number, range: SliceRange): FileSlice {
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
}

/** Like `readFileSlice`, at the real path of a file that exists. */
export function readRealFileSlice(roots: Roots, real: string, range: SliceRange, shown = real): FileSlice {
  return asFileOperation(shown, () => {
    const fd = openFile(real, roots, shown);
    try {
      return readSlice(fd, range);
    } finally {
      closeSync(fd);
    }
  });
}

/**
 * Reads up to `length` bytes from `offset`.
 *
 * @throws FileError
 */
export function readFileSlice(roots: Roots, path: string, range: SliceRange): FileSlice {
  return asFileOperation(path, () => readRealFileSlice(roots, existingPath(path, roots), range, path));
}

/**
 * Replacing, creating and removing files for tools. A write is atomic: the content goes to a new file in the same folder,
 * is synced, and takes the name in one step. Without `overwrite` that step fails when the name is taken.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { realPathOf } from './folder.ts';
import type { Place } from './place.ts';
import { asFileOperation, openPlace } from './place.ts';
import { contentOf } from './read-file.ts';
import type { Roots } from './roots.ts';
import { FileError } from './roots.ts';

/**
 * Keeps what a path holds before it is changed (`bytes` and `mode` are null when nothing exists there). Called with the
 * folder held open, just before the change; when it throws, the change does not happen.
 */
export type Keep = (before: { path: string; bytes: Buffer | null; mode: number | null }) => void;

const PERMISSION_BITS = 0o777;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** The mode that the new file takes over; null when the name is free. @throws FileError when it may not be replaced */
function modeOfExisting({ folder, name }: Place, overwrite: boolean): number | null {
  const path = join(folder.path, name);
  const found = lstatSync(folder.at(name), { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (!found.isFile()) throw new FileError('not_a_file', `${path}: not a regular file`);
  if (!overwrite) throw new FileError('exists', `${path} exists; overwrite replaces it`);
  return found.mode & PERMISSION_BITS;
}

function writeTemporary(place: Place, temporary: string, bytes: Buffer, mode: number | null, roots: Roots): void {
  const path = place.folder.at(temporary);
  const fd = openSync(path, NEW_FILE, 0o644);
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
 * @throws FileError; then the file is unchanged
 */
export function writeWholeFile(
  roots: Roots,
  path: string,
  bytes: Buffer,
  options: { overwrite: boolean; createParents: boolean; temporary: string; keep?: Keep },
): { replaced: boolean; path: string } {
  return asFileOperation(path, () => {
    const place = openPlace(path, roots, options.createParents);
    const { folder, name } = place;
    try {
      const mode = modeOfExisting(place, options.overwrite);
      try {
        writeTemporary(place, options.temporary, bytes, mode, roots);
        const before = mode === null ? null : contentOf(place, { anyNames: true });
        options.keep?.({ path: join(folder.path, name), bytes: before, mode });
        // A link fails when somebody has taken the name meanwhile, where a rename would replace the file.
        const takeName = options.overwrite ? renameSync : linkSync;
        takeName(folder.at(options.temporary), folder.at(name));
      } finally {
        rmSync(folder.at(options.temporary), { force: true });
      }
      fsyncSync(folder.fd);
      return { replaced: mode !== null, path: join(folder.path, name) };
    } finally {
      folder.close();
    }
  });
}

/**
 * Removes a regular file inside the roots.
 *
 * @throws FileError; then the file is unchanged
 */
export function removeFile(roots: Roots, path: string, keep?: Keep): void {
  asFileOperation(path, () => {
    const place = openPlace(path, roots, false);
    const { folder, name } = place;
    try {
      const found = lstatSync(folder.at(name));
      if (!found.isFile()) throw new FileError('not_a_file', `${path}: not a regular file`);
      const mode = found.mode & PERMISSION_BITS;
      keep?.({ path: join(folder.path, name), bytes: contentOf(place, { anyNames: true }), mode });
      unlinkSync(folder.at(name));
      fsyncSync(folder.fd);
    } finally {
      folder.close();
    }
  });
}

/**
 * Replacing, creating and removing files and symbolic links for tools. A write is atomic: the content goes to a new file in
 * the same folder, is synced, and takes the name in one step. Without `overwrite` that step fails when the name is taken.
 * A replaced file keeps its permissions, owner and group, or is not replaced.
 */
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { hasErrorCode } from '../lib/errno.ts';
import { removeEmptied } from './emptied-folder.ts';
import type { Entry, Owner } from './entry.ts';
import { entryAt, MAX_KEPT_BYTES } from './entry.ts';
import { realPathOf } from './folder.ts';
import type { Place } from './place.ts';
import { inPlace, realPathIfExists, withRealParent } from './place.ts';
import type { Roots } from './roots.ts';
import { FileError } from './roots.ts';

/**
 * Keeps what a path holds before it is changed (`entry` is null when nothing exists there; `after` is the new content, null
 * when it is removed). Called with the folder held open, just before the change; when it throws, the change does not
 * happen.
 */
export type Keep = (change: { path: string; entry: Entry | null; after: Buffer | null }) => void;

/** What is written. Without a mode and an owner a file takes over those of the file that it replaces. */
export type NewEntry = Pick<Entry, 'type' | 'bytes'> & { mode?: number; owner?: Owner };

export interface WriteOptions {
  overwrite: boolean;
  createParents: boolean;
  /** A name that nothing in the folder has. */
  temporary: string;
  keep?: Keep;
  /** The content comes behind that of an existing file. */
  append?: boolean;
  /**
   * Puts back what was there: a link may lead out of the roots as it did, and what is in its place may be read-only, or a
   * folder that has no files left.
   */
  restores?: boolean;
  /** Replaces a symbolic link itself, where otherwise the file that it names is written. */
  ofLink?: boolean;
}

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const NEW_FILE_MODE = 0o644;
const WRITABLE = 0o222;

function pathOf({ folder, name }: Place): string {
  return join(folder.path, name);
}

/** @throws FileError for a file that its permissions protect; the permissions of its folder would let it be replaced */
function refuseReadOnly(place: Place, { type, mode }: Entry): void {
  if (type === 'link') return;
  try {
    if ((mode & WRITABLE) !== 0) {
      accessSync(place.folder.at(place.name), constants.W_OK);
      return;
    }
  } catch (error) {
    if (!hasErrorCode(error, 'EACCES', 'EPERM', 'EROFS')) throw error;
  }
  const bits = mode.toString(8).padStart(4, '0');
  const why = `is read-only (mode ${bits}); change its permissions first if it is to be changed`;
  throw new FileError('permission_denied', `${pathOf(place)} ${why}`);
}

/** Gives a new file its owner and group. @throws FileError when the agent may not, and the file replaces another */
function takeOver(fd: number, { uid, gid }: Owner, path: string, replaces: boolean): void {
  const own = fstatSync(fd);
  if (own.uid === uid && own.gid === gid) return;
  try {
    fchownSync(fd, uid, gid);
  } catch (error) {
    if (!hasErrorCode(error, 'EPERM', 'EACCES')) throw error;
    // A removed file comes back as the agent's rather than not at all.
    if (!replaces) return;
    const why = `belongs to user ${uid} and group ${gid}, which a replaced file would lose`;
    throw new FileError('permission_denied', `${path} ${why}; change it with a program that writes in place`);
  }
}

function writeTemporaryFile(
  place: Place,
  temporary: string,
  entry: NewEntry & { replaces: boolean },
  roots: Roots,
): void {
  const path = place.folder.at(temporary);
  const fd = openSync(path, NEW_FILE, NEW_FILE_MODE);
  try {
    roots.admit(realPathOf(fd, path));
    if (entry.owner !== undefined) takeOver(fd, entry.owner, pathOf(place), entry.replaces);
    if (entry.mode !== undefined) fchmodSync(fd, entry.mode);
    let written = 0;
    while (written < entry.bytes.length) written += writeSync(fd, entry.bytes, written);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** A link may name only what tools may touch, so that no program is led out of the roots by a link that a tool made. */
function admitTarget(place: Place, target: Buffer, roots: Roots): void {
  const path = resolve(dirname(pathOf(place)), target.toString());
  roots.admit(realPathIfExists(path) ?? withRealParent(path));
}

/** The entry as it takes the place of `before`. @throws FileError when it may not */
function successor(place: Place, before: Entry | null, entry: NewEntry, options: WriteOptions): NewEntry {
  if (before === null) return entry;
  if (!options.overwrite) {
    throw new FileError('exists', `${pathOf(place)} exists; overwrite replaces it`);
  }
  if (!options.restores) refuseReadOnly(place, before);
  const bytes = options.append ? Buffer.concat([before.bytes, entry.bytes]) : entry.bytes;
  if (bytes.length > MAX_KEPT_BYTES) {
    throw new FileError('too_large', `${pathOf(place)} would exceed ${MAX_KEPT_BYTES} bytes; use a program`);
  }
  if (before.type !== 'file' || entry.type !== 'file') return { ...entry, bytes };
  return { mode: before.mode, owner: before.owner, ...entry, bytes };
}

/**
 * Writes a whole entry, atomically.
 *
 * @throws FileError; then what was there is unchanged
 */
export function writeEntry(
  roots: Roots,
  path: string,
  entry: NewEntry,
  options: WriteOptions,
): { replaced: boolean; path: string; size: number } {
  return inPlace(roots, path, options, (place) => {
    const { folder, name } = place;
    roots.admitChange(pathOf(place));
    if (options.restores) removeEmptied(place, roots);
    const before = entryAt(place, { anyNames: options.append !== true });
    if (before?.type === 'link' && options.ofLink !== true) {
      throw new FileError('not_a_file', `${pathOf(place)}: not a regular file`);
    }
    const next = successor(place, before, entry, options);
    try {
      if (next.type === 'link') {
        if (options.restores !== true) admitTarget(place, next.bytes, roots);
        if (before !== null) symlinkSync(next.bytes, folder.at(options.temporary));
      } else writeTemporaryFile(place, options.temporary, { ...next, replaces: before !== null }, roots);
      options.keep?.({ path: pathOf(place), entry: before, after: next.bytes });
      // A new name fails when somebody has taken it meanwhile, where a rename would replace the file.
      if (before !== null) renameSync(folder.at(options.temporary), folder.at(name));
      else if (next.type === 'link') symlinkSync(next.bytes, folder.at(name));
      else linkSync(folder.at(options.temporary), folder.at(name));
    } finally {
      rmSync(folder.at(options.temporary), { force: true });
    }
    fsyncSync(folder.fd);
    return { replaced: before !== null, path: pathOf(place), size: next.bytes.length };
  });
}

/** Writes a whole regular file, atomically. @throws FileError; then the file is unchanged */
export function writeWholeFile(roots: Roots, path: string, bytes: Buffer, options: WriteOptions) {
  return writeEntry(roots, path, { type: 'file', bytes }, options);
}

/**
 * Removes a regular file or a symbolic link inside the roots.
 *
 * @throws FileError; then it is unchanged
 */
export function removeEntry(
  roots: Roots,
  path: string,
  { keep, restores = false }: Pick<WriteOptions, 'keep' | 'restores'> = {},
): void {
  inPlace(roots, path, { createParents: false, ofLink: true }, (place) => {
    const { folder, name } = place;
    const entry = entryAt(place, { anyNames: true });
    if (entry === null) throw new FileError('not_found', `${path}: not found`);
    if (!restores) refuseReadOnly(place, entry);
    keep?.({ path: pathOf(place), entry, after: null });
    unlinkSync(folder.at(name));
    fsyncSync(folder.fd);
  });
}

/** What a name in a folder holds, as tools keep, change and restore it: a regular file or a symbolic link. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isMissing } from '../lib/errno.ts';
import type { Place, PlaceOptions } from './place.ts';
import { inPlace } from './place.ts';
import type { Roots } from './roots.ts';
import { FileError } from './roots.ts';

export interface Owner {
  uid: number;
  gid: number;
}

export interface Entry {
  type: 'file' | 'link';
  /** The content of a file, the target of a link. */
  bytes: Buffer;
  /** The permission bits. Those of a link have no meaning. */
  mode: number;
  owner: Owner;
}

export interface NameRule {
  /** Allow a file with other names (hard links): to keep its content, never to show it or write it to another place. */
  anyNames: boolean;
}

/** A larger file is not replaced by a tool: keeping its content would block the agent. */
export const MAX_KEPT_BYTES = 16 * 1024 * 1024;
const PERMISSION_BITS = 0o777;
const READ_ONLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export function hardLinked(path: string): FileError {
  return new FileError('hard_linked', `${path} has other names, which may lie outside the roots`);
}

function tooLarge(path: string): FileError {
  return new FileError(
    'too_large',
    `${path} exceeds ${MAX_KEPT_BYTES} bytes, too many to keep for undo; use a program`,
  );
}

/** The entry of that name; null when there is none. @throws FileError for a folder, a device or the like */
export function entryAt({ folder, name }: Place, { anyNames }: NameRule): Entry | null {
  const path = join(folder.path, name);
  const found = lstatSync(folder.at(name), { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (found.isSymbolicLink()) {
    const bytes = readlinkSync(folder.at(name), { encoding: 'buffer' });
    return { type: 'link', bytes, mode: PERMISSION_BITS, owner: { uid: found.uid, gid: found.gid } };
  }
  let fd: number;
  try {
    fd = openSync(folder.at(name), READ_ONLY);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  try {
    const opened = fstatSync(fd);
    if (!opened.isFile()) throw new FileError('not_a_file', `${path}: not a regular file`);
    if (opened.nlink > 1 && !anyNames) throw hardLinked(path);
    if (opened.size > MAX_KEPT_BYTES) throw tooLarge(path);
    const { uid, gid } = opened;
    return { type: 'file', bytes: readFileSync(fd), mode: opened.mode & PERMISSION_BITS, owner: { uid, gid } };
  } finally {
    closeSync(fd);
  }
}

/**
 * The entry at a path inside the roots and its real path; null when there is none.
 *
 * @throws FileError
 */
export function readEntry(
  roots: Roots,
  path: string,
  rule: NameRule & Pick<PlaceOptions, 'ofLink'>,
): { path: string; entry: Entry } | null {
  try {
    return inPlace(roots, path, { createParents: false, ofLink: rule.ofLink ?? false }, (place) => {
      const entry = entryAt(place, rule);
      return entry === null ? null : { path: join(place.folder.path, place.name), entry };
    });
  } catch (error) {
    // A file where a folder would have to be: nothing is below it.
    if (error instanceof FileError && (error.code === 'not_found' || error.code === 'not_a_directory')) return null;
    throw error;
  }
}

/** Whether two entries have the same content; mode and owner may differ. */
export function hasSameContent(a: Entry | null, b: Entry | null): boolean {
  return a === null || b === null ? a === b : a.type === b.type && a.bytes.equals(b.bytes);
}

/**
 * Where a path leads, for tools. A path is resolved and admitted by the roots, then its folder is opened and admitted
 * again, and what is done afterwards is done in the open folder. So a path that is swapped meanwhile leads nowhere else.
 */
import { lstatSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { hasErrorCode, isMissing } from '../lib/errno.ts';
import { Folder } from './folder.ts';
import type { Roots } from './roots.ts';
import { asFileError, assertLevels, FileError } from './roots.ts';
import { storedName } from './stored-name.ts';

/** An open folder and a name in it, of a file that exists or may be created. */
export interface Place {
  folder: Folder;
  name: string;
}

/** Runs `run`; any error becomes a FileError about `path`. */
export function asFileOperation<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw asFileError(error, path);
  }
}

/** The real path of exactly this name; null when nothing exists there. @throws FileError for a link to nothing, which may lead outside */
function realPathOfName(path: string): string | null {
  try {
    return realpathSync.native(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new FileError('path_outside_roots', `${path} is a link to nothing`);
  }
  return null;
}

/** How far a path exists. */
interface Existing {
  /** The real path of the nearest that exists: the path itself, or a folder above it. */
  real: string;
  /** The names below it. */
  missing: string[];
}

/** How far the path exists, also by names stored in another Unicode form. @throws FileError when it is too deep, or at a link to nothing */
function existingPart(path: string): Existing {
  const missing: string[] = [];
  let at = path;
  let real = realPathOfName(at);
  if (real === null) assertLevels(path);
  while (real === null && dirname(at) !== at) {
    missing.unshift(basename(at));
    at = dirname(at);
    real = realPathOfName(at);
  }
  if (real === null) return { real: at, missing };
  const [first, ...rest] = missing;
  const stored = first === undefined ? null : storedName(real, first);
  return stored === null ? { real, missing } : existingPart(join(real, stored, ...rest));
}

/** The real path, also of a name stored in another Unicode form; null when nothing exists there. @throws FileError for a link to nothing, which may lead outside */
export function realPathIfExists(path: string): string | null {
  const { real, missing } = existingPart(path);
  return missing.length === 0 ? real : null;
}

/**
 * `realPathIfExists` for many paths in one turn: each folder is resolved once. On Linux a name that is there and no link is
 * its own real name.
 */
export function realPathLook(): typeof realPathIfExists {
  const folders = new Map<string, string | null>();
  return (path) => {
    const parent = dirname(path);
    const folder = folders.get(parent) ?? realPathIfExists(parent);
    folders.set(parent, folder);
    if (folder === null || process.platform !== 'linux') return realPathIfExists(path);
    const direct = join(folder, basename(path));
    const found = lstatSync(direct, { throwIfNoEntry: false });
    return found === undefined || found.isSymbolicLink() ? realPathIfExists(path) : direct;
  };
}

/**
 * Whether nothing is at the path, by one look that costs little however deep the path is. False also where it takes more
 * to know: a name may be stored in another Unicode form.
 */
export function isPlainlyMissing(path: string): boolean {
  return /^\p{ASCII}*$/u.test(path) && statSync(path, { throwIfNoEntry: false }) === undefined;
}

/** The path with the links of its nearest existing parent folder resolved. */
export function withRealParent(path: string): string {
  const parent = dirname(path);
  if (parent === path) return path;
  const { real, missing } = existingPart(parent);
  return join(real, ...missing, basename(path));
}

/** The real path of an entry itself, a symbolic link included, whether it exists or not. */
export function realPathOfEntry(path: string): string {
  try {
    return asFileOperation(path, () => withRealParent(path));
  } catch (error) {
    if (!(error instanceof FileError && error.code === 'not_a_directory')) throw error;
    // A file is where a folder would have to be; a patch may take it away first.
    return join(realPathOfEntry(dirname(path)), basename(path));
  }
}

/** The real path of what a path leads to, whether it exists or not. @throws FileError */
export function realPathOfTarget(path: string): string {
  return asFileOperation(path, () => realPathIfExists(path) ?? withRealParent(path));
}

/** The outermost folder above or at `path` that does not exist, when `path` does not. */
function missingFolder(path: string): string {
  let missing = path;
  for (let n = existingPart(path).missing.length; n > 1; n--) missing = dirname(missing);
  return missing;
}

/** The error for a path at which nothing exists; it names the folder that is missing. */
export function notFound(path: string): FileError {
  const missing = missingFolder(path);
  const why = missing === path ? '' : `, as there is no folder ${missing}`;
  return new FileError('not_found', `${path}: not found${why}`);
}

/** Opens the folder at `path`. Missing folders are made one level at a time, each inside the open one above it. */
function openFolder(path: string, roots: Roots, createParents: boolean): Folder {
  const { real, missing } = existingPart(path);
  const target = join(real, ...missing);
  roots.admit(target);
  if (missing.length > 0) {
    if (!createParents)
      throw new FileError('not_found', `there is no folder ${missingFolder(path)}, and create_parents is false`);
    roots.admitChange(target, real);
  }
  let folder = Folder.open(real, roots);
  for (const name of missing) {
    const parent = folder;
    try {
      makeFolder(parent.at(name));
      folder = parent.enter(name, roots);
    } finally {
      parent.close();
    }
  }
  return folder;
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o755 });
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST')) throw error;
  }
}

export interface PlaceOptions {
  /** Makes the folders that are missing. */
  createParents: boolean;
  /** The place of a symbolic link itself, where otherwise the place of the file that it names is meant. */
  ofLink?: boolean;
}

/** The folder of a path, opened, and the name in it. The caller closes the folder. */
export function openPlace(path: string, roots: Roots, { createParents, ofLink = false }: PlaceOptions): Place {
  const real = ofLink ? path : (realPathIfExists(path) ?? path);
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

/** Runs `use` in the place of a path and closes its folder. Any error becomes a FileError about `path`. */
export function inPlace<T>(roots: Roots, path: string, options: PlaceOptions, use: (place: Place) => T): T {
  return asFileOperation(path, () => {
    const place = openPlace(path, roots, options);
    try {
      return use(place);
    } finally {
      place.folder.close();
    }
  });
}

/** Runs `use` with a path that names the open folder itself, even when the folder's own path is swapped. */
export async function withFolder<T>(roots: Roots, path: string, use: (path: string) => Promise<T>): Promise<T> {
  const folder = asFileOperation(path, () => openFolder(path, roots, false));
  try {
    return await use(folder.at(''));
  } finally {
    folder.close();
  }
}

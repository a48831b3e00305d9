/** A folder in the place of a file that is to be put back: the change that is undone has made it. */
import { lstatSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from './place.ts';
import type { Roots } from './roots.ts';
import { FileError } from './roots.ts';

/** Runs `each` for every entry of the folder, by its place, until one gives false. */
function everyEntry({ folder, name }: Place, roots: Roots, each: (place: Place) => boolean): boolean {
  const inner = folder.enter(name, roots);
  try {
    return readdirSync(inner.at('')).every((entry) => each({ folder: inner, name: entry }));
  } finally {
    inner.close();
  }
}

export function isFolder({ folder, name }: Place): boolean {
  return lstatSync(folder.at(name), { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Whether a folder holds nothing but those files, also in the folders below it. */
export function holdsOnly(place: Place, paths: ReadonlySet<string>, roots: Roots): boolean {
  return everyEntry(place, roots, (entry) =>
    isFolder(entry) ? holdsOnly(entry, paths, roots) : paths.has(join(entry.folder.path, entry.name)),
  );
}

function remove(place: Place, roots: Roots): void {
  everyEntry(place, roots, (entry) => {
    remove(entry, roots);
    return true;
  });
  rmdirSync(place.folder.at(place.name));
}

/** Removes a folder without files, and the folders in it. @throws FileError when it holds a file */
export function removeEmptied(place: Place, roots: Roots): void {
  if (!isFolder(place)) return;
  if (!holdsOnly(place, new Set(), roots)) {
    const path = join(place.folder.path, place.name);
    const why = 'is a folder with files now, so the file of that name cannot come back; move them away and try again';
    throw new FileError('not_a_file', `${path} ${why}`);
  }
  remove(place, roots);
}

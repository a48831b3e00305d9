/** Removing and reading whole files for tools, under the same rules as writing them. */
import { fsyncSync, lstatSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Keep } from './fs.ts';
import { contentOf, guarded, placeFor } from './fs.ts';
import type { Roots } from './roots.ts';
import { FileError } from './roots.ts';

/**
 * Removes a regular file inside the roots; `keep` is given what it held, and when it throws the file stays.
 *
 * @throws FileError
 */
export function removeFile(roots: Roots, path: string, keep?: Keep): void {
  guarded(path, () => {
    const place = placeFor(path, roots, false);
    const { folder, name } = place;
    try {
      const found = lstatSync(folder.at(name));
      if (!found.isFile()) throw new FileError('not_a_file', `${path}: not a regular file`);
      keep?.({ path: join(folder.path, name), bytes: contentOf(place, { anyNames: true }), mode: found.mode & 0o777 });
      unlinkSync(folder.at(name));
      fsyncSync(folder.fd);
    } finally {
      folder.close();
    }
  });
}

/**
 * The whole content of a regular file inside the roots, null when there is none; `anyNames` as of `contentOf`.
 *
 * @throws FileError
 */
export function readWholeFile(roots: Roots, path: string, names: { anyNames: boolean }): Buffer | null {
  try {
    return guarded(path, () => {
      const place = placeFor(path, roots, false);
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

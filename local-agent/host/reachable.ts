/** What the file tools of a chat can write. */
import { errorCode } from '../lib/errno.ts';
import { realPathIfExists, withRealParent } from './place.ts';
import type { Roots } from './roots.ts';
import { FileError } from './roots.ts';

/** Whether the file tools could write that path, or make it, if they did not know Git's files by their content. */
export function canWrite(roots: Roots, path: string): boolean {
  try {
    roots.admitReachable(realPathIfExists(path) ?? withRealParent(path));
    return true;
  } catch (error) {
    // A link to nothing, or a folder that cannot be searched, leads nowhere for a program too.
    if (error instanceof FileError || errorCode(error) !== null) return false;
    throw error;
  }
}

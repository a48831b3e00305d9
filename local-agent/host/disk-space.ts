/** How much room a disk has. */
import { statfsSync } from 'node:fs';

/** The bytes that this user may still write on the disk of that path; null when it does not say. */
export function freeBytes(path: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return null;
  }
}

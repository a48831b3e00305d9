/** A small text file of the user, such as one that lists secrets. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';

const MAX_BYTES = 256 * 1024;

/** The text of the file; null when it does not exist, cannot be read or is too large. */
export function readTextFile(path: string): string | null {
  try {
    const fd = openSync(path, 'r');
    try {
      const { size } = fstatSync(fd);
      return size > MAX_BYTES ? null : readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
}

/** A small text file of the person's own, such as one whose words are secrets. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';

const MAX_BYTES = 256 * 1024;

/** Its text; null when there is none, when it cannot be read, or when it is no file of a sensible size. */
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

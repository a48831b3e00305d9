/** Reading a file that a program may have replaced: a pipe in its place would keep the agent waiting for ever. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** The bytes of a regular file of at most that size; null for anything else, and for one that cannot be read. */
export function readRegularFile(path: string, maxBytes: number): Buffer | null {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const found = fstatSync(fd);
      return found.isFile() && found.size <= maxBytes ? readFileSync(fd) : null;
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
}

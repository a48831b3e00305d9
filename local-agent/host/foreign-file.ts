/** Files that another program has made: anything may be at their path, and anything in them. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** A pipe without a writer would hold up the whole process while it is opened. */
const READ_ONLY = constants.O_RDONLY | constants.O_NONBLOCK;

/** The text of a regular file of at most `maxBytes`; null for anything else. */
export function readForeignFile(path: string, maxBytes: number): string | null {
  let fd: number;
  try {
    fd = openSync(path, READ_ONLY);
  } catch {
    return null;
  }
  try {
    const found = fstatSync(fd);
    return found.isFile() && found.size <= maxBytes ? readFileSync(fd, 'utf8') : null;
  } finally {
    closeSync(fd);
  }
}

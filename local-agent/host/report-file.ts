/** The report that a test step has written: a regular file of bounded size, or none. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

const MAX_BYTES = 8 * 1024 * 1024;
const READ_ONLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Null when there is none that can be read: a link, a device, or one that is too large. */
export function readReport(path: string): string | null {
  let fd: number;
  try {
    fd = openSync(path, READ_ONLY);
  } catch {
    return null;
  }
  try {
    const found = fstatSync(fd);
    return found.isFile() && found.size <= MAX_BYTES ? readFileSync(fd, 'utf8') : null;
  } finally {
    closeSync(fd);
  }
}

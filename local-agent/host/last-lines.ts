/** The last lines of a log that consists of several files. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { namesIn } from './names-in.ts';

/** Read of one file at most. */
const MAX_BYTES = 512 * 1024;

/** Files of one moment by the numbers in their names. */
const byNumber = new Intl.Collator('en', { numeric: true });

function endOf(path: string): string {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const bytes = Buffer.alloc(Math.min(size, MAX_BYTES));
    const read = readSync(fd, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString('utf8', 0, read);
  } finally {
    closeSync(fd);
  }
}

/** At most `count` lines at the end of the files `<name>.….log` of a folder, oldest first. A file that cannot be read is left out. */
export function lastLines(folder: string, name: string, count: number): string[] {
  const files = namesIn(folder)
    .filter((file) => file.startsWith(`${name}.`) && file.endsWith('.log'))
    .map((file) => join(folder, file))
    .map((path) => ({ path, changed: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => a.changed - b.changed || byNumber.compare(basename(a.path), basename(b.path)));
  return lastLinesOf(
    files.map(({ path }) => path),
    count,
  );
}

/** At most `count` lines at the end of these files, which are ordered from the oldest on. */
export function lastLinesOf(files: readonly string[], count: number): string[] {
  let lines: string[] = [];
  for (const path of files.toReversed()) {
    if (lines.length >= count) break;
    try {
      lines = [
        ...endOf(path)
          .split('\n')
          .filter((line) => line !== ''),
        ...lines,
      ];
    } catch {
      // Removed meanwhile, or of another user.
    }
  }
  return lines.slice(-count);
}

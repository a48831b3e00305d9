/** The `log_tail` checkpoint, and the ends of the outputs by which a step is judged. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

const MAX_TAIL_BYTES = 256 * 1024;
const MAX_LINES = 200;

/** The last bytes of a file as text, from the beginning of a line on; empty when there is no file. */
export function fileTail(path: string, maxBytes: number = MAX_TAIL_BYTES): string {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return '';
  }
  try {
    const { size } = fstatSync(fd);
    const from = Math.max(0, size - maxBytes);
    const bytes = Buffer.alloc(size - from);
    const length = readSync(fd, bytes, 0, bytes.length, from);
    const text = bytes.subarray(0, length).toString('utf8');
    return from === 0 ? text : text.slice(text.indexOf('\n') + 1);
  } finally {
    closeSync(fd);
  }
}

function lastOf(text: string): string {
  const lines = text.trimEnd().split('\n');
  const left = lines.length - MAX_LINES;
  return left > 0 ? `… ${left} lines before\n${lines.slice(-MAX_LINES).join('\n')}` : lines.join('\n');
}

/** The last 200 lines of each output. */
export function logTailText(runFolder: string): string {
  const parts = ['stdout', 'stderr'].map((stream) => {
    const text = lastOf(fileTail(join(runFolder, `${stream}.log`)));
    return `== ${stream}\n${text}\n`;
  });
  return parts.join('');
}

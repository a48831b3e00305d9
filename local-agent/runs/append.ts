/** Appending to files that other programs read meanwhile: a line is there whole or not at all, also on a full disk. */
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync } from 'node:fs';
import { writeFully } from '../host/synced-file.ts';

/** @throws the system's error; then the file is as it was */
export function appendWhole(path: string, text: string, { sync = false }: { sync?: boolean } = {}): void {
  const fd = openSync(path, 'a', 0o600);
  try {
    const before = fstatSync(fd).size;
    try {
      writeFully(fd, Buffer.from(text));
      if (sync) fsyncSync(fd);
    } catch (error) {
      ftruncateSync(fd, before);
      throw error;
    }
  } finally {
    closeSync(fd);
  }
}

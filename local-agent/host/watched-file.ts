/** A small file that a person edits. It is read again only when it has changed, and watched through its folder. */
import { closeSync, fstatSync, lstatSync, openSync, readFileSync, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { errorCode, isMissing } from '../lib/errno.ts';

const MAX_BYTES = 1024 * 1024;

export type StampedFile =
  | { state: 'unchanged' }
  | { state: 'missing'; stamp: string }
  | { state: 'unreadable'; stamp: string; reason: string }
  | { state: 'read'; stamp: string; text: string };

/** A text that differs whenever the file has changed. */
function stampOf(path: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}

/** Reads the file unless it still has the stamp of the last read. */
export function readStamped(path: string, lastStamp: string): StampedFile {
  let stamp = 'missing';
  try {
    stamp = stampOf(path);
    if (stamp === lastStamp) return { state: 'unchanged' };
    const fd = openSync(path, 'r');
    try {
      if (fstatSync(fd).size > MAX_BYTES) return { state: 'unreadable', stamp, reason: `over ${MAX_BYTES} bytes` };
      return { state: 'read', stamp, text: readFileSync(fd, 'utf8') };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (isMissing(error) && lstatSync(path, { throwIfNoEntry: false }) === undefined)
      return lastStamp === 'missing' ? { state: 'unchanged' } : { state: 'missing', stamp: 'missing' };
    const reason = error instanceof Error ? error.message : String(error);
    return { state: 'unreadable', stamp: `${stamp} unreadable`, reason };
  }
}

/**
 * Calls `onChange` when the file may have changed, until `signal` aborts. A system that cannot watch files never calls it,
 * so a reader has to compare the stamp in any case.
 */
export function watchFile(path: string, onChange: () => void, signal: AbortSignal): void {
  const name = basename(path);
  try {
    const watcher = watch(dirname(path), { signal, persistent: false }, (_event, changed) => {
      if (changed === null || changed === name) onChange();
    });
    watcher.on('error', () => watcher.close());
  } catch (error) {
    // The folder does not exist, or the system has no watch left.
    if (errorCode(error) === null) throw error;
  }
}

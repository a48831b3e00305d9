/** Looks for what has changed below a folder since a time, in bounded steps that leave the event loop free. */
import type { Dir } from 'node:fs';
import { lstatSync, opendirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isMissing } from '../lib/errno.ts';

/** File systems take their times from a clock that is updated every few milliseconds. */
const CLOCK_GRAIN_MS = 20;
const MAX_ENTRIES = 200_000;
const ENTRIES_PER_TURN = 500;

/** `changed`: what was found first. `unknown`: why nothing can be said. */
export type FolderChange =
  | { found: 'nothing' }
  | { found: 'changed'; path: string }
  | { found: 'unknown'; why: string };

/** Whether content, name or permissions changed at that time or later. A program cannot set this time back. */
function changedSince(path: string, sinceMs: number): { changed: boolean; isFolder: boolean } {
  const found = lstatSync(path);
  return { changed: found.ctimeMs >= sinceMs, isFolder: found.isDirectory() };
}

/** Follows no links. A folder counts as changed when an entry appeared, went or was renamed in it. */
export async function findChange(folder: string, sinceMs: number, maxEntries = MAX_ENTRIES): Promise<FolderChange> {
  const since = sinceMs - CLOCK_GRAIN_MS;
  const folders = [folder];
  let seen = 0;
  try {
    if (changedSince(folder, since).changed) return { found: 'changed', path: folder };
    for (let current = folders.pop(); current !== undefined; current = folders.pop()) {
      const open = opendirSync(current);
      try {
        for (const name of namesIn(open)) {
          const path = join(current, name);
          const { changed, isFolder } = changedSince(path, since);
          if (changed) return { found: 'changed', path };
          if (isFolder) folders.push(path);
          seen += 1;
          if (seen > maxEntries) return { found: 'unknown', why: `${folder} holds more than ${maxEntries} files` };
          if (seen % ENTRIES_PER_TURN === 0) await nextTurn();
        }
      } finally {
        open.closeSync();
      }
    }
    return { found: 'nothing' };
  } catch (error) {
    // What vanishes while it is looked at has changed; what cannot be read may have.
    if (isMissing(error)) return { found: 'changed', path: folder };
    return { found: 'unknown', why: error instanceof Error ? error.message : String(error) };
  }
}

function* namesIn(open: Dir): Generator<string> {
  for (let entry = open.readSync(); entry !== null; entry = open.readSync()) yield entry.name;
}

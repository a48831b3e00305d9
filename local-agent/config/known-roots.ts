/**
 * The roots of this machine that a system was started in. A command that names no root finds the running system there,
 * and tools touch no state of any of them.
 */
import { z } from 'zod';
import { readOwnFile, replacePrivateFile } from '../host/own-files.ts';
import { defaultRoot, knownRootsPath, systemRecordPathOf } from './root-files.ts';
import type { IsAlive, SystemRecord } from './system-record.ts';
import { isRunning, readSystemRecord } from './system-record.ts';

const KnownRootsSchema = z.object({ roots: z.array(z.string()) });

type ReadFile = (path: string) => string | null;

/** The roots in the order of their first start. A damaged file counts as empty: it only shortens command lines. */
export function knownRoots(readFile: ReadFile = readOwnFile): string[] {
  const text = readFile(knownRootsPath());
  if (text === null) return [];
  try {
    return KnownRootsSchema.parse(JSON.parse(text)).roots;
  } catch {
    return [];
  }
}

/** Adds a root to the list, and drops those that no longer have a record. */
export function rememberRoot(root: string): void {
  const kept = knownRoots().filter((one) => one !== root && recordOrNull(one, readOwnFile) !== null);
  replacePrivateFile(knownRootsPath(), `${JSON.stringify({ roots: [...kept, root] }, null, 2)}\n`);
}

/** Removes a root from the list; the others stay. */
export function forgetRoot(root: string): void {
  const before = knownRoots();
  if (!before.includes(root)) return;
  replacePrivateFile(knownRootsPath(), `${JSON.stringify({ roots: before.filter((one) => one !== root) }, null, 2)}\n`);
}

function recordOrNull(root: string, readFile: ReadFile): SystemRecord | null {
  try {
    return readSystemRecord(root, readFile);
  } catch {
    return null;
  }
}

/**
 * The roots that a command without `--root` and `BAA_ROOT` may mean: the default root when it has a record, else those
 * of the running systems.
 */
export function candidateRoots(readFile: ReadFile, isAlive: IsAlive): string[] {
  if (readFile(systemRecordPathOf(defaultRoot())) !== null) return [defaultRoot()];
  return knownRoots(readFile).filter((root) => {
    const record = recordOrNull(root, readFile);
    return record !== null && isRunning(record, isAlive);
  });
}

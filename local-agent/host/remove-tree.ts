/**
 * Removes folders with any number of files: a few at a time, so that neither the event loop nor memory notices. Node's own
 * `rm` blocks for seconds on 100,000 files, and its asynchronous one holds all of them at once.
 */
import type { Dirent } from 'node:fs';
import { renameSync } from 'node:fs';
import { chmod, opendir, rmdir, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { hasErrorCode, isMissing } from '../lib/errno.ts';

const AT_ONCE = 32;
/** A folder into which a program still writes is left after so many rounds. */
const MAX_ROUNDS = 4;
const PREFIX = '.removed-';

async function removeEntry(folder: string, entry: Dirent): Promise<void> {
  const path = join(folder, entry.name);
  if (entry.isDirectory()) return removeFolder(path);
  try {
    await unlink(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Its error is thrown where the batch is awaited; one that comes earlier must not end the process. */
function handled(removal: Promise<void>): Promise<void> {
  removal.catch(() => undefined);
  return removal;
}

async function removeEntries(folder: string): Promise<void> {
  let batch: Promise<void>[] = [];
  for await (const entry of await opendir(folder, { bufferSize: AT_ONCE })) {
    // One folder after the other, so that a deep tree is not opened as a whole.
    if (entry.isDirectory()) await removeEntry(folder, entry);
    else batch.push(handled(removeEntry(folder, entry)));
    if (batch.length < AT_ONCE) continue;
    await Promise.all(batch);
    batch = [];
  }
  await Promise.all(batch);
}

/** Programs such as Go leave folders that are read-only. */
async function removeFolder(folder: string): Promise<void> {
  for (let round = 1; ; round++) {
    try {
      await removeEntries(folder);
      return await rmdir(folder);
    } catch (error) {
      if (isMissing(error)) return;
      if (round === MAX_ROUNDS || !hasErrorCode(error, 'EACCES', 'EPERM', 'ENOTEMPTY', 'EEXIST')) throw error;
      if (hasErrorCode(error, 'EACCES', 'EPERM')) await chmod(folder, 0o700);
    }
  }
}

/**
 * Gives a folder a name under which only its removal is left, at once: a killed agent leaves no half of it under its own
 * name. Returns the new path; null when there is no folder. @throws the system's error
 */
export function moveAside(path: string): string | null {
  const aside = join(dirname(path), `${PREFIX}${basename(path)}-${process.hrtime.bigint()}`);
  try {
    renameSync(path, aside);
    return aside;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

/** Removes a folder, if there is one. @throws the system's error */
export async function removeTree(path: string): Promise<void> {
  const aside = moveAside(path);
  if (aside !== null) await removeFolder(aside);
}

/** Removes what an earlier agent has moved aside in a folder. @throws the system's error */
export async function removeMovedAside(folder: string): Promise<void> {
  try {
    for await (const { name } of await opendir(folder)) {
      if (name.startsWith(PREFIX)) await removeFolder(join(folder, name));
    }
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
}

/** How much room a folder takes on its disk, however many files it has: a few at a time. */
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode } from '../lib/errno.ts';

const AT_ONCE = 32;
const BLOCK_BYTES = 512;

/** What has disappeared, or cannot be looked at, counts as nothing. Never throws: many are under way at once. */
async function bytesOf(path: string): Promise<number> {
  try {
    return (await lstat(path)).blocks * BLOCK_BYTES;
  } catch {
    return 0;
  }
}

/**
 * The blocks that its files have; links are not followed. Zero without a folder, and for folders that this user may not
 * read. @throws the system's error
 */
export async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  let batch: Promise<number>[] = [];
  const count = async () => {
    for (const one of await Promise.all(batch)) bytes += one;
    batch = [];
  };
  try {
    for await (const entry of await opendir(folder, { bufferSize: AT_ONCE })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) bytes += await folderBytes(path);
      else batch.push(bytesOf(path));
      if (batch.length >= AT_ONCE) await count();
    }
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM')) throw error;
  }
  await count();
  return bytes;
}

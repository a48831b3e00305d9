/** What is in a folder. */
import { readdirSync } from 'node:fs';
import { hasErrorCode } from '../lib/errno.ts';

/** The names in a folder; none when there is no such folder. @throws the system's error when it cannot be read */
export function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

/** A lock on a file or folder that the operating system releases when the holding process dies. */
import { DatabaseSync } from 'node:sqlite';

/** Takes the lock at `path`, waiting up to `waitMs`; null when it stayed taken. Closing the result releases it. */
export function takeFileLock(path: string, waitMs: number): DatabaseSync | null {
  const lock = new DatabaseSync(path);
  try {
    lock.exec(`PRAGMA busy_timeout = ${waitMs}; BEGIN EXCLUSIVE`);
    return lock;
  } catch {
    lock.close();
    return null;
  }
}

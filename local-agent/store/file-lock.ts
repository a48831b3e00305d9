/** One process at a time on a file or folder; the operating system gives the lock back when its holder dies. */
import { DatabaseSync } from 'node:sqlite';

/**
 * Takes the lock that is the file at `path`, waiting up to `waitMs` for whoever holds it; null when that was in vain.
 * It is held until the answer is closed.
 */
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

/** Whether what was built is older than its sources. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The time of the newest change at or below a path; 0 for nothing. */
function newestChange(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return 0;
  if (!found.isDirectory()) return found.mtimeMs;
  const names = readdirSync(path).filter((name) => name !== 'node_modules');
  return Math.max(found.mtimeMs, ...names.map((name) => newestChange(join(path, name))));
}

/** Whether one of the sources has changed since `built` was made, or nothing was built. */
export function isOlderThan(built: string, sources: readonly string[]): boolean {
  const made = statSync(built, { throwIfNoEntry: false })?.mtimeMs;
  return made === undefined || sources.some((source) => newestChange(source) > made);
}

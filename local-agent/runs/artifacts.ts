/** What runs leave for others on this host, in their folders `artifacts/`. */
import { lstatSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isMissing } from '../lib/errno.ts';
import type { RunIds } from './run-paths.ts';
import { ARTIFACTS, runFolderPath } from './run-paths.ts';

/** The files, with their paths inside that folder. None when the run is not on this host. */
export function artifactsOf(runsDir: string, ids: RunIds): { path: string; bytes: number }[] {
  const folder = join(runFolderPath(runsDir, ids), ARTIFACTS);
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => !one.isDirectory());
    const paths = entries.map(({ parentPath, name }) => join(parentPath, name)).sort();
    return paths.map((path) => ({ path: relative(folder, path), bytes: lstatSync(path).size }));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

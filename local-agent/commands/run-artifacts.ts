/** What a run has left in its folder `artifacts/` on this host. */
import { lstatSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isMissing } from '../lib/errno.ts';
import type { RunIds } from '../runs/run-paths.ts';
import { ARTIFACTS, runFolderPath } from '../runs/run-paths.ts';
import type { CommandDeps } from './deps.ts';
import { printTable } from './output.ts';

const MAX_SHOWN = 100;

/** Null when the run is not on this host. */
function artifactsOf(runsDir: string, ids: RunIds): { path: string; bytes: number }[] | null {
  const folder = join(runFolderPath(runsDir, ids), ARTIFACTS);
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => !one.isDirectory());
    const paths = entries.map(({ parentPath, name }) => join(parentPath, name)).sort();
    return paths.map((path) => ({ path: relative(folder, path), bytes: lstatSync(path).size }));
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

export function printArtifacts(deps: CommandDeps, runsDir: string, ids: RunIds): void {
  const found = artifactsOf(runsDir, ids);
  if (found === null || found.length === 0) return;
  const rows = found.slice(0, MAX_SHOWN).map(({ path, bytes }) => [path, bytes]);
  printTable(deps, ['ARTIFACT', 'BYTES'], rows, '');
  if (found.length > MAX_SHOWN) deps.print(`and ${found.length - MAX_SHOWN} more`);
}

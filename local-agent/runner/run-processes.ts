/** What belongs to a run: its group, what has its mark, and what writes into its logs, also when it has removed the mark. */
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessQuery } from '../worker-runner/find-processes.ts';
import { queryOf } from '../worker-runner/left-behind.ts';
import { LOG_FILES } from './child.ts';

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

export function processesOfRun(runFolder: string, groupId: number | null, runId: string): ProcessQuery {
  const outputs = LOG_FILES.map((name) => realPath(join(runFolder, name)));
  return { ...queryOf(groupId, runId), outputs };
}

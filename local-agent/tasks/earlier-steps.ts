/** What a step gets of the steps before it: their outputs, and the folders in which their runs on this host left files. */
import { join } from 'node:path';
import type { ClaimedRun } from '../../schema/contracts/runs.ts';
import type { EarlierStep } from '../executors/executor.ts';
import { namesIn } from '../host/names-in.ts';
import { replacePrivateFile } from '../host/own-files.ts';
import { ARTIFACTS, runFolderPath } from '../runs/run-paths.ts';

export function earlierStepsOf({ task_id, outputs }: ClaimedRun, runsDir: string): EarlierStep[] {
  return outputs.map((output) => {
    const { run_id } = output;
    const folder = run_id === null ? null : join(runFolderPath(runsDir, { task_id, run_id }), ARTIFACTS);
    return { ...output, artifacts: folder !== null && namesIn(folder).length > 0 ? folder : null };
  });
}

/** Writes them for the program of the step. Returns its variables. @throws the system's error when the disk is full */
export function stepVariables(claim: ClaimedRun, runsDir: string): Record<string, string> {
  const folder = runFolderPath(runsDir, claim);
  const path = join(folder, 'earlier-steps.json');
  replacePrivateFile(path, `${JSON.stringify(earlierStepsOf(claim, runsDir), null, 2)}\n`);
  return { BAA_ARTIFACTS: join(folder, ARTIFACTS), BAA_EARLIER_STEPS: path };
}

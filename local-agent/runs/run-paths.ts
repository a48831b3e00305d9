/** Names inside the folder of runs. */
import { join } from 'node:path';
import type { CheckpointType, RunStream } from '../../schema/contracts/runs.ts';

export interface RunIds {
  task_id: string;
  run_id: string;
}

export function taskFolder(runsDir: string, { task_id }: Pick<RunIds, 'task_id'>): string {
  return join(runsDir, task_id);
}

export function runFolderPath(runsDir: string, ids: RunIds): string {
  return join(taskFolder(runsDir, ids), ids.run_id);
}

/** Where a folder is prepared: it takes its name when it is whole. */
export function unfinishedPath(runsDir: string, ids: RunIds): string {
  return join(taskFolder(runsDir, ids), `.${ids.run_id}.new`);
}

/** What the step of a run leaves for others, inside the run folder. */
export const ARTIFACTS = 'artifacts';

/** The streams of a run's logs, and the file of each. */
export const STREAM_FILES = {
  stdout: 'stdout.log',
  stderr: 'stderr.log',
  lifecycle: 'worker.log',
} as const satisfies Record<RunStream, string>;

const CHECKPOINT_ENDS: Record<CheckpointType, string> = {
  summary: 'summary.json',
  log_tail: 'log-tail.txt',
  git_diff: 'git-diff.patch',
  test_output: 'test-output.txt',
};
const SEQ_DIGITS = 4;

/** Path of a checkpoint inside the run folder. */
export function checkpointName(seq: number, type: CheckpointType): string {
  return join('checkpoints', `${String(seq).padStart(SEQ_DIGITS, '0')}-${CHECKPOINT_ENDS[type]}`);
}

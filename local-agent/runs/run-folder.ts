/**
 * The folder of a run. It is prepared under another name and takes its own when it is whole, so that a killed agent leaves
 * either no run or a prepared one.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunMeta, RunStateFile, SummaryCheckpoint } from '../../schema/contracts/run-files.ts';
import { RunMetaSchema } from '../../schema/contracts/run-files.ts';
import { namesIn } from '../host/names-in.ts';
import { makePrivateFolder } from '../host/own-files.ts';
import { syncFolder } from '../host/synced-file.ts';
import { appendEvent, runEvent } from './events.ts';
import type { RunIds } from './run-paths.ts';
import { ARTIFACTS, checkpointName, runFolderPath, STREAM_FILES, taskFolder, unfinishedPath } from './run-paths.ts';
import { reserveEnd, statePath, stateText } from './state-file.ts';

const PRIVATE = { mode: 0o600, flush: true } as const;
const FIRST_CHECKPOINT = 1;

function identityOf({ run_id, task_id, step_id, attempt }: RunMeta) {
  return { run_id, task_id, step_id, attempt };
}

function preparedState(meta: RunMeta): RunStateFile {
  const none = { pid: null, started_at: null, finished_at: null, exit_code: null, signal: null };
  const noEnd = { summary: null, error_code: null, error_text: null };
  const seq = { updated_at: meta.created_at, checkpoint_seq: FIRST_CHECKPOINT };
  return { ...identityOf(meta), status: 'prepared', ...none, ...noEnd, ...seq };
}

function firstCheckpoint(meta: RunMeta): SummaryCheckpoint {
  const { kind } = meta.executor;
  const summary = `prepared ${kind} step, attempt ${meta.attempt}`;
  return { ...identityOf(meta), seq: FIRST_CHECKPOINT, status: 'prepared', created_at: meta.created_at, summary };
}

/** Fills a folder under its name of preparation. */
function fill(folder: string, meta: RunMeta): void {
  for (const name of ['', 'checkpoints', ARTIFACTS]) mkdirSync(join(folder, name), { mode: 0o700 });
  for (const name of Object.values(STREAM_FILES)) writeFileSync(join(folder, name), '', PRIVATE);
  writeFileSync(join(folder, 'meta.json'), `${JSON.stringify(meta, null, 2)}\n`, PRIVATE);
  const checkpoint = checkpointName(FIRST_CHECKPOINT, 'summary');
  writeFileSync(join(folder, checkpoint), `${JSON.stringify(firstCheckpoint(meta), null, 2)}\n`, PRIVATE);
  const { created_at: at, run_id } = meta;
  appendEvent(folder, runEvent('run_prepared', at, `run ${run_id} is prepared on ${meta.host}`));
  const reserved = { checkpoint_seq: FIRST_CHECKPOINT, file: checkpoint };
  appendEvent(folder, runEvent('checkpoint_slot_reserved', at, 'the first checkpoint is written', reserved));
  writeFileSync(statePath(folder), stateText(preparedState(meta)), PRIVATE);
  reserveEnd(folder);
  syncFolder(folder);
}

/**
 * Makes the folder of a run with everything that preparation promises. Returns its path. A folder that is there already was
 * prepared by an earlier agent, and stays as it is.
 *
 * @throws the system's error when the disk is full or the folder cannot be written; then there is no folder of the run
 */
export function createRunFolder(runsDir: string, meta: RunMeta): string {
  const folder = runFolderPath(runsDir, meta);
  if (existsSync(folder)) return folder;
  const unfinished = unfinishedPath(runsDir, meta);
  makePrivateFolder(taskFolder(runsDir, meta));
  rmSync(unfinished, { recursive: true, force: true });
  try {
    fill(unfinished, meta);
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
  syncFolder(taskFolder(runsDir, meta));
  return folder;
}

export function readMeta(folder: string): RunMeta {
  return RunMetaSchema.parse(JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8')));
}

/** The tasks that have runs on the disk. */
export function taskFolders(runsDir: string): string[] {
  return namesIn(runsDir).filter((name) => !name.startsWith('.'));
}

/** The runs of a task on the disk. */
export function runsOfTask(runsDir: string, task_id: string): RunIds[] {
  const names = namesIn(taskFolder(runsDir, { task_id })).filter((name) => !name.startsWith('.'));
  return names.map((run_id) => ({ task_id, run_id }));
}

/** When the newest run of a task was prepared; 0 without any. */
export function lastRunAt(runsDir: string, task_id: string): number {
  return Math.floor(statSync(taskFolder(runsDir, { task_id }), { throwIfNoEntry: false })?.mtimeMs ?? 0);
}

/** All runs on the disk. */
export function listRunFolders(runsDir: string): RunIds[] {
  return taskFolders(runsDir).flatMap((task_id) => runsOfTask(runsDir, task_id));
}

/** Removes what is left of preparations of a task that an earlier agent did not finish. */
export function removeUnfinished(runsDir: string, task_id: string): void {
  const folder = taskFolder(runsDir, { task_id });
  for (const name of namesIn(folder)) {
    if (name.startsWith('.')) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

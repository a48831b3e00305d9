/**
 * Runs on the disk that this node's store does not have, as after the store was lost: no agent reports them, so what is left
 * of them is ended, and their files say so.
 */
import { setImmediate } from 'node:timers/promises';
import type { RunStatus } from '../../schema/contracts/runs.ts';
import { isLiveRun } from '../../schema/domain/run-machine.ts';
import { readClocks, writeLimits } from '../runner/limits.ts';
import { endOrphans, runnerState } from '../runner/start-runner.ts';
import { removeUnfinished, runsOfTask, taskFolders } from '../runs/run-folder.ts';
import type { RunIds } from '../runs/run-paths.ts';
import { runFolderPath } from '../runs/run-paths.ts';
import { readState, StateFile } from '../runs/state-file.ts';
import type { RunsHost } from './host.ts';

function statusOf(folder: string): RunStatus | null {
  try {
    return readState(folder)?.status ?? null;
  } catch {
    return null;
  }
}

function isUnknown(ids: RunIds, { runsDir, runs }: RunsHost): boolean {
  const status = statusOf(runFolderPath(runsDir, ids));
  return status !== null && isLiveRun(status) && runs.find(ids.run_id) === null;
}

async function endUnknownRun(ids: RunIds, host: RunsHost): Promise<void> {
  const folder = runFolderPath(host.runsDir, ids);
  if (runnerState(folder) === 'running') writeLimits(folder, { deadline: readClocks(), stop: 'stale_run' });
  else await endOrphans(folder, ids.run_id);
  const state = readState(folder);
  if (state === null) return;
  const text = 'this node does not know the run any more';
  const end = { status: 'lost' as const, summary: text, error_code: 'unknown_run', error_text: text };
  new StateFile(folder, state, host.clock).end({ ...end, finished_at: host.clock.now() });
}

/** Ends those whose state is not terminal, and removes what a killed agent had only begun to prepare. Never throws. */
export async function endUnknownRuns(host: RunsHost, signal: AbortSignal): Promise<void> {
  for (const task_id of taskFolders(host.runsDir)) {
    // A turn for each task: a host may have the runs of thousands.
    await setImmediate();
    if (signal.aborted) return;
    try {
      removeUnfinished(host.runsDir, task_id);
      const unknown = runsOfTask(host.runsDir, task_id).filter((ids) => isUnknown(ids, host));
      for (const ids of unknown) await endUnknownRun(ids, host);
    } catch (error) {
      if (!signal.aborted) host.log.error({ error, task_id }, 'a run without a record could not be ended');
    }
  }
}

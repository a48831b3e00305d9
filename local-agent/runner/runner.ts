/**
 * The runner of one run: a process in a session of its own, so that the run survives its agent. It starts the child on the
 * run's log files, ends it at its limits, ends everything that it left, and writes `exit.json`. Started as
 * `node runner.ts RUN_FOLDER` with the launch on standard input.
 */
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { RUNNER } from '../../schema/defaults.ts';
import type { KnownProcess } from '../host/process-start.ts';
import { livingProcess } from '../host/process-start.ts';
import { syncFile } from '../host/synced-file.ts';
import { signalGroup } from '../lib/kill-group.ts';
import { endLeftBehind } from '../worker-runner/left-behind.ts';
import type { StartedChild } from './child.ts';
import { LOG_FILES, startChild } from './child.ts';
import type { RunExit } from './exit-file.ts';
import { reserveExit, writeExit } from './exit-file.ts';
import { holdLimits } from './hold-limits.ts';
import { claimRun, noteChild } from './identity.ts';
import type { Launch } from './launch.ts';
import { readLaunch } from './launch.ts';
import type { RunLimits } from './limits.ts';
import { readClocks, readLimits } from './limits.ts';
import { processesOfRun } from './run-processes.ts';
import { remainingMs } from './stop-decision.ts';

const WRITE_TRIES = 60;
const WRITE_RETRY_MS = 1_000;

/** A disk that is full or fails may be usable again a little later. */
async function persistently(write: () => void): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      write();
      return;
    } catch (error) {
      if (tries === WRITE_TRIES) throw error;
      await delay(WRITE_RETRY_MS);
    }
  }
}

interface Run {
  runFolder: string;
  launch: Launch;
  limits: RunLimits;
  runner: KnownProcess | null;
}

async function follow({ runFolder, launch, limits, runner }: Run, child: StartedChild): Promise<Partial<RunExit>> {
  const { run_id: runId, timeout_ms: timeoutMs } = launch;
  const hold = holdLimits({ runFolder, limits, runId, pid: child.pid, timeoutMs });
  // One that has ended already keeps its id for the record; without its start it is never signalled.
  const identity = livingProcess(child.pid) ?? { pid: child.pid, began: null };
  // Without it the child is found by its mark; a disk that stays full must not end the runner, which holds the deadline.
  const noted = persistently(() => noteChild(runFolder, { runner, child: identity })).catch(() => undefined);
  const exit = await child.exit;
  hold.release();
  const left_behind = await endLeftBehind(processesOfRun(runFolder, child.pid, runId));
  signalGroup(child.pid, 'SIGKILL');
  await noted;
  return { ...exit, ended_by: hold.endedBy(), left_behind };
}

async function runChild(run: Run): Promise<Partial<RunExit>> {
  const isLate = remainingMs(run.limits.deadline, readClocks()) <= RUNNER.deadline_margin_ms;
  if (run.limits.stop !== null || isLate) return { ended_by: run.limits.stop ?? 'deadline' };
  const child = await startChild(run.runFolder, run.launch);
  return 'pid' in child ? follow(run, child) : { error: child };
}

async function main(): Promise<void> {
  const runFolder = process.argv[2];
  if (runFolder === undefined) throw new Error('the run folder is missing: node runner.ts RUN_FOLDER');
  // What ends the machine or a terminal ends the child by itself; the runner stays to record that.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
  const launch = readLaunch(await text(process.stdin));
  // The agent died while it wrote: nothing has begun, and the next agent finds no runner.
  if (launch === null) return;
  const runner = livingProcess(process.pid);
  const limits = readLimits(runFolder);
  reserveExit(runFolder);
  if (!claimRun(runFolder, { runner, child: null })) return;
  const started_at = Date.now();
  const ended = await runChild({ runFolder, launch, limits, runner });
  const none = { exit_code: null, signal: null, ended_by: null, error: null, left_behind: [] };
  await persistently(() => {
    for (const name of LOG_FILES) syncFile(join(runFolder, name));
    writeExit(runFolder, { ...none, started_at, finished_at: Date.now(), ...ended });
  });
}

await main();

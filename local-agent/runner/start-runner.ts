/** The agent's side of a runner: starting it, and what is known about a run whose agent has ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { stillRuns } from '../host/process-start.ts';
import { programFile } from '../host/program-file.ts';
import { endLeftBehind } from '../worker-runner/left-behind.ts';
import { killOrphan } from '../worker-runner/orphans.ts';
import { exitPath } from './exit-file.ts';
import { claimRun, readIdentity } from './identity.ts';
import type { Launch } from './launch.ts';
import { processesOfRun } from './run-processes.ts';

const RUNNER = programFile('runner/runner');

export interface StartedRunner {
  /** Resolves when the runner has ended, while this agent runs. */
  ended: Promise<void>;
  /** Whether it lives. Until it has begun, the files of the run do not say so. */
  lives: () => boolean;
}

/**
 * Starts the runner of a prepared run, which has `deadline.json` and its logs. It is no part of this agent: it has a session
 * of its own and none of its variables.
 *
 * @throws the system's error when no process can be started
 */
export async function startRunner(runFolder: string, launch: Launch): Promise<StartedRunner> {
  const runner = spawn(process.execPath, [RUNNER, runFolder], {
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = new Promise<void>((resolve) => {
    runner.once('exit', () => resolve());
    runner.once('error', () => resolve());
  });
  // A runner that has ended early is noticed by its end, not by the pipe.
  runner.stdin.on('error', () => undefined);
  await once(runner, 'spawn');
  runner.unref();
  runner.stdin.end(JSON.stringify(launch));
  const lives = () => runner.exitCode === null && runner.signalCode === null;
  return { ended, lives };
}

/**
 * What became of a run: its runner lives; it has ended and says how; it is gone without a word (`lost`), or never began and
 * never will.
 */
export type RunnerState = 'running' | 'ended' | 'lost' | 'never_began';

/** Decides a run whose runner has not begun: it never will. */
export function runnerState(runFolder: string): RunnerState {
  if (existsSync(exitPath(runFolder))) return 'ended';
  if (claimRun(runFolder, { runner: null, child: null })) return 'never_began';
  const runner = readIdentity(runFolder)?.runner ?? null;
  if (runner === null) return 'never_began';
  if (stillRuns(runner)) return 'running';
  // It may have ended between the two looks.
  return existsSync(exitPath(runFolder)) ? 'ended' : 'lost';
}

/** Kills what is left of a run whose runner is gone. Returns how many processes that were. */
export async function endOrphans(runFolder: string, runId: string): Promise<number> {
  const child = readIdentity(runFolder)?.child ?? null;
  const isKilled = killOrphan({ pid: child?.pid ?? null, began: child?.began ?? null, mark: runId });
  const left = await endLeftBehind(processesOfRun(runFolder, null, runId));
  return left.length + (isKilled ? 1 : 0);
}

/** Ends what runs of a run whose files cannot be used. A runner that has not begun never will, as far as the disk permits. */
export async function giveUpFolder(runFolder: string, runId: string): Promise<void> {
  try {
    runnerState(runFolder);
  } catch {
    // A folder in which no file can be made takes no runner either.
  }
  await endLeftBehind(processesOfRun(runFolder, null, runId));
}

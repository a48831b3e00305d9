/**
 * The child of a run: in a session of its own, with the run's log files as its outputs. Its input is a file without a name,
 * or nothing: some agents wait for the end of a pipe that stays open.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../lib/errno.ts';
import { markVariable } from '../worker-runner/left-behind.ts';
import type { Launch } from './launch.ts';

export const LOG_FILES = ['stdout.log', 'stderr.log'] as const;

export interface ChildExit {
  exit_code: number | null;
  signal: NodeJS.Signals | null;
}

export interface StartedChild {
  pid: number;
  exit: Promise<ChildExit>;
}

export interface StartFailure {
  code: string;
  message: string;
}

function openInput(runFolder: string, stdin: string | null): number {
  if (stdin === null) return openSync('/dev/null', 'r');
  const path = join(runFolder, '.stdin');
  try {
    writeFileSync(path, stdin, { mode: 0o600 });
    return openSync(path, 'r');
  } finally {
    rmSync(path, { force: true });
  }
}

/** The child gets the files themselves: what it writes is in them, also when runner and agent end. */
function spawnOnFiles(runFolder: string, { run_id, argv, cwd, env, stdin }: Launch): ChildProcess {
  const [program = '', ...args] = argv;
  const input = openInput(runFolder, stdin);
  const outputs = LOG_FILES.map((name) => openSync(join(runFolder, name), 'a'));
  try {
    return spawn(program, args, {
      cwd,
      env: { ...env, ...markVariable(run_id), BAA_RUN_ID: run_id },
      detached: true,
      stdio: [input, ...outputs],
    });
  } finally {
    for (const fd of [input, ...outputs]) closeSync(fd);
  }
}

export async function startChild(runFolder: string, launch: Launch): Promise<StartedChild | StartFailure> {
  try {
    const child = spawnOnFiles(runFolder, launch);
    const failed = new Promise<Error>((resolve) => child.once('error', resolve));
    const exit = new Promise<ChildExit>((resolve) => {
      child.once('exit', (exit_code, signal) => resolve({ exit_code, signal }));
    });
    if (child.pid === undefined) throw await failed;
    return { pid: child.pid, exit };
  } catch (error) {
    return {
      code: errorCode(error) ?? 'spawn_failed',
      message: error instanceof Error ? error.message : String(error),
    };
  }
}

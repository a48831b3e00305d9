/**
 * Runs one program to its end, in a session of its own, with exactly the given environment, a time limit and an output
 * limit. Stopping it signals its whole process group: SIGTERM, then SIGKILL. When the program exits, the rest of its group
 * is killed too, so that no process delays the agent or keeps running unnoticed.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { endGroup, signalGroup } from '../lib/kill-group.ts';
import { OutputCollector } from './output.ts';
import type { StopReason } from './timeout.ts';
import { watchForStop } from './timeout.ts';

/** How long the pipes may stay open after the group has ended. A process that left the session could hold them open. */
const DRAIN_MS = 1_000;

export interface ProgramRequest {
  argv: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  stdin: string | null;
  timeoutMs: number;
  /** Between SIGTERM and SIGKILL. */
  killGraceMs: number;
  /** Limit for each of stdout and stderr. */
  maxOutputBytes: number;
  signal: AbortSignal;
  /** Called when the program runs, with its process group. */
  onStarted?: (groupId: number) => void;
  /** Called with each chunk of stdout and stderr as it arrives. */
  onOutput?: (chunk: Buffer) => void;
}

export type ProgramEnd =
  | { started: false; code: string; message: string }
  | {
      started: true;
      exit_code: number | null;
      signal: string | null;
      stopped: StopReason | null;
      stdout: string;
      stderr: string;
      truncated: boolean;
    };

interface Exit {
  code: number | null;
  signal: string | null;
}

function waitForExit(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
}

/** Resolves when the pipes have closed, or the time for that is over. */
async function waitForPipes(child: ChildProcess, closed: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timedOut = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, DRAIN_MS);
  });
  await Promise.race([closed, timedOut]);
  clearTimeout(timer);
  child.stdout?.destroy();
  child.stderr?.destroy();
}

function writeInput(child: ChildProcess, stdin: string | null): void {
  // A program that does not read its input closes the pipe, which is not a failure.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(stdin ?? '');
}

/** Runs a program. Never throws: one that cannot be started is `started: false` with the system's code. */
export async function runProgram(request: ProgramRequest): Promise<ProgramEnd> {
  const [file = '', ...args] = request.argv;
  let child: ChildProcess;
  try {
    child = spawn(file, args, { cwd: request.cwd, env: { ...request.env }, detached: true, stdio: 'pipe' });
  } catch (error) {
    return { started: false, code: 'spawn_failed', message: error instanceof Error ? error.message : String(error) };
  }
  const failed = new Promise<NodeJS.ErrnoException>((resolve) => child.once('error', resolve));
  const groupId = child.pid;
  if (groupId === undefined) {
    const error = await failed;
    return { started: false, code: error.code ?? 'spawn_failed', message: error.message };
  }
  const exit = waitForExit(child);
  const closed = new Promise((resolve) => child.once('close', resolve));
  const stdout = new OutputCollector(request.maxOutputBytes);
  const stderr = new OutputCollector(request.maxOutputBytes);
  for (const [stream, collector] of [
    [child.stdout, stdout],
    [child.stderr, stderr],
  ] as const) {
    stream?.on('data', (chunk: Buffer) => {
      collector.take(chunk);
      request.onOutput?.(chunk);
    });
  }
  request.onStarted?.(groupId);
  writeInput(child, request.stdin);

  let stopped: StopReason | null = null;
  let cancelKill = () => {};
  const cancelStop = watchForStop(request, (reason) => {
    stopped = reason;
    cancelKill = endGroup(groupId, request.killGraceMs);
  });
  const { code, signal } = await exit;
  cancelStop();
  cancelKill();
  signalGroup(groupId, 'SIGKILL');
  await waitForPipes(child, closed);
  const truncated = stdout.truncated || stderr.truncated;
  return { started: true, exit_code: code, signal, stopped, stdout: stdout.text(), stderr: stderr.text(), truncated };
}

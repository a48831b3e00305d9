/**
 * Runs one program to its end: in a session of its own, with the environment it is given and no other, for a
 * limited time, with limited output. Whatever ends it ends its group: SIGTERM, then SIGKILL. When the program has
 * exited, what it left running in its group is killed too, so nothing holds the agent up or goes on unseen.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { endGroup, signalGroup } from '../lib/kill-group.ts';
import { OutputCollector } from './output.ts';
import type { StopReason } from './timeout.ts';
import { watchForStop } from './timeout.ts';

/** How long the pipes may stay open after the group is gone; a process that left the session could hold them. */
const DRAIN_MS = 1_000;

export interface ProgramRequest {
  argv: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  stdin: string | null;
  timeoutMs: number;
  /** Between SIGTERM and SIGKILL. */
  killGraceMs: number;
  /** Of each of stdout and stderr. */
  maxOutputBytes: number;
  signal: AbortSignal;
  /** It runs, as the leader of that process group. */
  onStarted?: (groupId: number) => void;
  /** Part of what it prints on either of its outputs, as it comes. */
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

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
}

/** When the pipes are at their end, or have been given up. */
async function drained(child: ChildProcess, closed: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const givenUp = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, DRAIN_MS);
  });
  await Promise.race([closed, givenUp]);
  clearTimeout(timer);
  child.stdout?.destroy();
  child.stderr?.destroy();
}

function feed(child: ChildProcess, stdin: string | null): void {
  // A program that does not read its input closes the pipe: that is its right, and no failure.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(stdin ?? '');
}

/** Runs it; never throws. A program that cannot be started is `started: false` with the system's code. */
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
  const exit = exitOf(child);
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
  feed(child, request.stdin);

  let stopped: StopReason | null = null;
  let callOffKill = () => {};
  const callOffStop = watchForStop(request, (reason) => {
    stopped = reason;
    callOffKill = endGroup(groupId, request.killGraceMs);
  });
  const { code, signal } = await exit;
  callOffStop();
  callOffKill();
  signalGroup(groupId, 'SIGKILL');
  await drained(child, closed);
  const truncated = stdout.truncated || stderr.truncated;
  return { started: true, exit_code: code, signal, stopped, stdout: stdout.text(), stderr: stderr.text(), truncated };
}

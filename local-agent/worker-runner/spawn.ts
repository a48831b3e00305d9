/**
 * Runs one program to its end, in a session of its own, with exactly the given environment, a time limit and an output
 * limit. Stopping it signals its whole process group: SIGTERM, then SIGKILL. When the program has exited, everything that
 * it left running is ended too, so that no process delays the agent or keeps running unnoticed.
 */
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { endGroup, signalGroup } from '../lib/kill-group.ts';
import type { FoundProcess } from './find-processes.ts';
import { endLeftBehind, markVariable, queryOf } from './left-behind.ts';
import type { Collected } from './output.ts';
import { OutputCollector } from './output.ts';
import type { Streams } from './pipes.ts';
import { closeChildEnds, openStreams } from './pipes.ts';
import type { StopReason } from './timeout.ts';
import { watchForStop } from './timeout.ts';

/** How long the pipes may stay open after the program has ended. A process without its mark could hold them open. */
const DRAIN_MS = 1_000;

export interface ProgramRequest {
  argv: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  /** The mark by which everything that the program starts is found. */
  mark: string;
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
      signal: NodeJS.Signals | null;
      stopped: StopReason | null;
      stdout: Collected;
      stderr: Collected;
      /** Processes that the program left running, and that were ended. */
      leftBehind: FoundProcess[];
    };

interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

function waitForExit(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
}

/** Feeds the collector. Resolves when the stream has closed. */
function collect(stream: Readable, collector: OutputCollector, onOutput: ProgramRequest['onOutput']): Promise<void> {
  stream.on('data', (chunk: Buffer) => {
    collector.take(chunk);
    onOutput?.(chunk);
  });
  stream.on('error', () => undefined);
  return new Promise((resolve) => stream.once('close', () => resolve()));
}

/** Resolves when the pipes have closed, or the time for that is over. */
async function waitForPipes(closed: Promise<unknown>, streams: readonly Readable[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timedOut = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, DRAIN_MS);
  });
  await Promise.race([closed, timedOut]);
  clearTimeout(timer);
  for (const stream of streams) stream.destroy();
}

function notStarted(error: unknown): ProgramEnd {
  const { code = 'spawn_failed', message } = error as NodeJS.ErrnoException;
  return { started: false, code, message };
}

/** Starts the child on the given streams. @throws the system's error when it cannot be started */
async function start(request: ProgramRequest, streams: Streams) {
  const [file = '', ...args] = request.argv;
  const { childFds } = streams;
  const options = {
    cwd: request.cwd,
    env: { ...request.env, ...markVariable(request.mark) },
    detached: true,
    stdio: [...childFds] satisfies StdioOptions,
  };
  try {
    const child = spawn(file, args, options);
    const failed = new Promise<Error>((resolve) => child.once('error', resolve));
    if (child.pid === undefined) throw await failed;
    return { child, groupId: child.pid };
  } finally {
    closeChildEnds(streams);
  }
}

/** Runs a program. Never throws: one that cannot be started is `started: false` with the system's code. */
export async function runProgram(request: ProgramRequest): Promise<ProgramEnd> {
  let streams: Streams | null = null;
  try {
    streams = await openStreams(request.stdin);
    return await follow(await start(request, streams), { request, streams });
  } catch (error) {
    streams?.stdout.destroy();
    streams?.stderr.destroy();
    return notStarted(error);
  }
}

async function follow(
  { child, groupId }: { child: ChildProcess; groupId: number },
  { request, streams }: { request: ProgramRequest; streams: Streams },
): Promise<ProgramEnd> {
  const exit = waitForExit(child);
  const stdout = new OutputCollector(request.maxOutputBytes);
  const stderr = new OutputCollector(request.maxOutputBytes);
  const closed = Promise.all([
    collect(streams.stdout, stdout, request.onOutput),
    collect(streams.stderr, stderr, request.onOutput),
  ]);
  request.onStarted?.(groupId);

  let stopped: StopReason | null = null;
  let cancelKill = () => {};
  const cancelStop = watchForStop(request, (reason) => {
    stopped = reason;
    cancelKill = endGroup(groupId, request.killGraceMs);
  });
  const { code, signal } = await exit;
  cancelStop();
  cancelKill();
  const leftBehind = await endLeftBehind(queryOf(groupId, request.mark));
  signalGroup(groupId, 'SIGKILL');
  await waitForPipes(closed, [streams.stdout, streams.stderr]);
  return {
    started: true,
    exit_code: code,
    signal,
    stopped,
    stdout: stdout.collected(),
    stderr: stderr.collected(),
    leftBehind,
  };
}

/**
 * `exec`: runs a program by argv, or a script by the shell. It runs in a folder inside the roots, with a minimal
 * environment, in its own session, for a limited time and with limited output.
 */
import type { ToolParams } from '../../schema/contracts/tools.ts';
import { realPathIfExists, withFolder, withRealParent } from '../host/place.ts';
import { expandHome, FileError } from '../host/roots.ts';
import { describeProcess } from '../worker-runner/orphans.ts';
import type { ProgramEnd } from '../worker-runner/spawn.ts';
import { runProgram } from '../worker-runner/spawn.ts';
import { LiveText } from './live-text.ts';
import type { ProgramSurroundings } from './program-environment.ts';
import { programSurroundings } from './program-environment.ts';
import { COLLECTED_BYTES, programOutput } from './program-output.ts';
import type { ToolContext, ToolHandler, ToolOutcome } from './tool.ts';
import { failure, fileOutcome, stopStatus } from './tool.ts';

/** Shorter than a stopping agent waits for its parts, so that no program outlives it. */
const KILL_GRACE_MS = 2_000;

function commandLine(params: ToolParams<'conductor::exec'>): string[] {
  return params.argv ?? ['/bin/sh', '-c', params.command ?? ''];
}

/** @throws FileError that names the folder itself when nothing is there */
function assertFolder(folder: string, roots: ToolContext['roots']): void {
  if (realPathIfExists(folder) !== null) return;
  roots.admit(withRealParent(folder));
  throw new FileError('not_found', `${folder}: no such folder. Name an existing folder inside the roots`);
}

type StartedProgramEnd = Extract<ProgramEnd, { started: true }>;

function statusOf(end: StartedProgramEnd, signal: AbortSignal): Pick<ToolOutcome, 'status' | 'error_code'> {
  if (end.stopped === 'aborted') return stopStatus(signal);
  if (end.stopped === 'timeout') return { status: 'failed', error_code: 'timeout' };
  if (end.exit_code === 0) return { status: 'succeeded', error_code: null };
  return { status: 'failed', error_code: end.exit_code === null ? 'killed_by_signal' : 'exit_code' };
}

function notFound(program: string, { path, leftOut }: ProgramSurroundings): string {
  const without = leftOut.length === 0 ? '' : `, without ${leftOut.join(':')}, where a chat can write`;
  const hint = 'name it by its absolute path, or set program_path in config.toml of this host';
  return `there is no program ${program}. Programs are looked up in ${path}${without}; ${hint}`;
}

function outcomeOf(
  end: ProgramEnd,
  { argv, timeoutMs, around }: { argv: readonly string[]; timeoutMs: number; around: ProgramSurroundings },
  { redact, signal }: ToolContext,
): ToolOutcome {
  if (!end.started) {
    if (end.code !== 'ENOENT') return failure('failed', 'spawn_failed', redact(end.message));
    return failure('failed', 'program_not_found', redact(notFound(argv[0] ?? '', around)));
  }
  // A refused repository matters only to a program that failed.
  const notes = end.exit_code === 0 ? [] : around.notes;
  const { output, truncated } = programOutput(end, { redact, timeoutMs, notes });
  return { ...statusOf(end, signal), output, exit_code: end.exit_code, truncated };
}

export const exec: ToolHandler<'conductor::exec'> = async (params, context) => {
  const { roots, signal, mark, onProcess, onOutput } = context;
  const live = new LiveText(context.redact, onOutput);
  const argv = commandLine(params);
  const timeoutMs = Math.min(params.timeout_ms ?? context.timeoutMs, context.timeoutMs);
  try {
    const folder = roots.resolve(expandHome(params.cwd ?? '.'));
    assertFolder(folder, roots);
    return await withFolder(roots, folder, async (cwd) => {
      const around = programSurroundings({ agent: context, given: params.env ?? {}, folder });
      const end = await runProgram({
        argv,
        cwd,
        env: around.env,
        mark,
        stdin: params.stdin ?? null,
        timeoutMs,
        killGraceMs: KILL_GRACE_MS,
        maxOutputBytes: COLLECTED_BYTES,
        signal,
        onStarted: (groupId) => onProcess(describeProcess(groupId, mark)),
        onOutput: (chunk) => live.take(chunk),
      });
      return outcomeOf(end, { argv, timeoutMs, around }, context);
    });
  } catch (error) {
    return fileOutcome(error);
  }
};

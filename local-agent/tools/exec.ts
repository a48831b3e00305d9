/**
 * `exec`: runs a program by argv, or a script by the shell. It runs in a folder inside the roots, with a minimal
 * environment, in its own session, for a limited time and with limited output.
 */
import { isAbsolute } from 'node:path';
import type { ToolParams } from '../../schema/contracts/tools.ts';
import { INSTRUCTION } from '../../schema/defaults.ts';
import { withFolder } from '../host/place.ts';
import { describeProcess } from '../worker-runner/orphans.ts';
import type { ProgramEnd } from '../worker-runner/spawn.ts';
import { runProgram } from '../worker-runner/spawn.ts';
import { LiveText } from './live-text.ts';
import type { ToolContext, ToolHandler, ToolOutcome } from './tool.ts';
import { clipBytes, failure, fileOutcome, stopStatus } from './tool.ts';

/** Shorter than a stopping agent waits for its parts, so that no program outlives it. */
const KILL_GRACE_MS = 2_000;
const MAX_STREAM_BYTES = INSTRUCTION.max_output_bytes / 2;
/** Collected beyond the limit, so that a secret across the limit is redacted before the output is cut. */
const SLACK_BYTES = 8 * 1024;
const STDERR_HEAD = '\n[stderr]\n';

/** The variables of the agent that a program gets, beside PATH without its relative folders. No token is among them. */
const INHERITED_VARIABLES = ['HOME', 'LANG', 'LC_ALL', 'LOGNAME', 'TMPDIR', 'TZ', 'USER'];

function buildEnvironment(own: ToolContext['env'], given: Readonly<Record<string, string>>): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of INHERITED_VARIABLES) if (own[name] !== undefined) env[name] = own[name];
  // With a relative entry, programs would be looked up in a folder that a chat may write to.
  const path = (own.PATH ?? '').split(':').filter((entry) => isAbsolute(entry));
  env.PATH = path.length > 0 ? path.join(':') : '/usr/bin:/bin';
  return { ...env, ...given };
}

function commandLine(params: ToolParams<'conductor::exec'>): string[] {
  return params.argv ?? ['/bin/sh', '-c', params.command ?? ''];
}

type StartedProgramEnd = Extract<ProgramEnd, { started: true }>;

function statusOf(end: StartedProgramEnd, signal: AbortSignal): Pick<ToolOutcome, 'status' | 'error_code'> {
  if (end.stopped === 'aborted') return stopStatus(signal);
  if (end.stopped === 'timeout') return { status: 'failed', error_code: 'timeout' };
  if (end.exit_code === 0) return { status: 'succeeded', error_code: null };
  return { status: 'failed', error_code: end.exit_code === null ? 'killed_by_signal' : 'exit_code' };
}

function outcomeOf(end: ProgramEnd, { redact, signal }: ToolContext): ToolOutcome {
  if (!end.started) {
    return failure('failed', end.code === 'ENOENT' ? 'program_not_found' : 'spawn_failed', redact(end.message));
  }
  const stdout = clipBytes(redact(end.stdout), MAX_STREAM_BYTES);
  const stderr = clipBytes(redact(end.stderr), MAX_STREAM_BYTES);
  const output = stderr.text === '' ? stdout.text : `${stdout.text}${STDERR_HEAD}${stderr.text}`;
  const truncated = end.truncated || stdout.clipped || stderr.clipped;
  return { ...statusOf(end, signal), output, exit_code: end.exit_code, truncated };
}

export const exec: ToolHandler<'conductor::exec'> = async (params, context) => {
  const { roots, signal, onProcess, onOutput } = context;
  const live = new LiveText(context.redact, onOutput);
  try {
    return await withFolder(roots, roots.resolve(params.cwd ?? '.'), async (cwd) => {
      const end = await runProgram({
        argv: commandLine(params),
        cwd,
        env: buildEnvironment(context.env, params.env ?? {}),
        stdin: params.stdin ?? null,
        timeoutMs: Math.min(params.timeout_ms ?? context.timeoutMs, context.timeoutMs),
        killGraceMs: KILL_GRACE_MS,
        maxOutputBytes: MAX_STREAM_BYTES + SLACK_BYTES,
        signal,
        onStarted: (groupId) => onProcess(describeProcess(groupId)),
        onOutput: (chunk) => live.take(chunk),
      });
      return outcomeOf(end, context);
    });
  } catch (error) {
    return fileOutcome(error);
  }
};

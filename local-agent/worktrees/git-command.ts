/** Runs git for the conductor itself: hardened, without a terminal, for a limited time and with limited output. */
import { endLeftBehind, newMark, queryOf } from '../worker-runner/left-behind.ts';
import { runProgram } from '../worker-runner/spawn.ts';

const TIMEOUT_MS = 10 * 60_000;
const KILL_GRACE_MS = 2_000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
const MAX_ERROR_CHARS = 500;

/** A git command failed; the message has what git said. */
export class GitError extends Error {
  override readonly name = 'GitError';
  readonly exitCode: number | null;

  constructor(message: string, exitCode: number | null) {
    super(message);
    this.exitCode = exitCode;
  }
}

export interface GitContext {
  /** Variables of the program: those of host/hardened-git.ts among them. */
  env: Readonly<Record<string, string>>;
  signal: AbortSignal;
  /** By which a later agent finds what a killed one has left running; without it, none of its commands is found. */
  mark?: string;
}

interface GitOptions {
  stdin?: string;
  env?: Readonly<Record<string, string>>;
  timeoutMs?: number;
}

/** The standard output of git. @throws GitError */
export async function git(
  cwd: string,
  args: readonly string[],
  { env, signal, mark }: GitContext,
  options: GitOptions = {},
): Promise<string> {
  const end = await runProgram({
    argv: ['git', ...args],
    cwd,
    env: { ...env, ...options.env },
    mark: mark ?? newMark(),
    stdin: options.stdin ?? null,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    killGraceMs: KILL_GRACE_MS,
    maxOutputBytes: MAX_OUTPUT_BYTES,
    signal,
  });
  if (!end.started) throw new GitError(`git could not be started: ${end.message}`, null);
  if (end.exit_code === 0 && end.stdout.skipped === null) {
    return Buffer.concat([end.stdout.head, end.stdout.tail]).toString('utf8');
  }
  const said = Buffer.concat([end.stderr.head, end.stderr.tail]).toString('utf8').trim();
  const why = end.stopped ?? (end.exit_code === 0 ? 'its output is too long' : `exit code ${end.exit_code}`);
  throw new GitError(`git ${args[0] ?? ''}: ${why}: ${said.slice(-MAX_ERROR_CHARS)}`, end.exit_code);
}

/** Whether a git command succeeds. */
export async function gitSays(cwd: string, args: readonly string[], context: GitContext): Promise<boolean> {
  try {
    await git(cwd, args, context);
    return true;
  } catch (error) {
    if (error instanceof GitError) return false;
    throw error;
  }
}

/** The mark of the git commands that an agent runs for a run. The step's own mark would end them with the step. */
export function gitMarkOf(runId: string): string {
  return `git-${runId}`;
}

/** Ends the git commands that a killed agent has left running for a run. */
export async function endGitOf(runId: string): Promise<void> {
  await endLeftBehind(queryOf(null, gitMarkOf(runId)));
}

/** The exit codes of every command, and which failure leads to which. */
import { ConfigError } from '../config/resolve.ts';
import { EdgeError } from '../edge/http-client.ts';
import { DISK_FAULT_ADVICE, hasErrorCode, isDiskFault } from '../lib/errno.ts';

export const EXIT = { fine: 0, failed: 1, usage: 2, unreachable: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command was called wrongly; the message says how to call it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The command was called well, and what it asks for cannot be as things are: the message says what is the case. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** The command was called well, but no system or no token is known that it could be for. */
export class UnknownSystemError extends UsageError {}

/** The system that a command is for does not run. */
export class NotRunningError extends Error {
  override readonly name = 'NotRunningError';
}

/** A call broke off, and it is not known whether it had its effect. `line` repeats it, and has no second effect. */
export class BrokenOffError extends Error {
  override readonly name = 'BrokenOffError';
  readonly line: string;

  constructor(cause: unknown, line: string) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.line = line;
  }
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof BrokenOffError) return exitCodeOf(error.cause);
  if (error instanceof UsageError || error instanceof ConfigError) return EXIT.usage;
  if (error instanceof NotRunningError) return EXIT.unreachable;
  if (error instanceof EdgeError && error.kind === 'network') return EXIT.unreachable;
  return EXIT.failed;
}

/** Codes of failures that the request did not cause. */
const FAILURES_OF_THE_EDGE: ReadonlySet<string> = new Set(['internal', 'database_unavailable']);

const NO_RIGHT_ADVICE = 'this user has no right to do that there; "conductor doctor" looks at the rights of the root';

/** The failure as a person reads it. */
export function describeFailure(error: unknown): string {
  if (error instanceof BrokenOffError) {
    return `${describeFailure(error.cause)}\nIt may have happened. This line repeats it, with no second effect:\n  ${error.line}`;
  }
  if (error instanceof EdgeError && error.kind === 'status') {
    const advice = FAILURES_OF_THE_EDGE.has(error.code) ? '. "conductor doctor" looks for the cause' : '';
    return `${error.code}: ${error.message}${advice}`;
  }
  const message = error instanceof Error ? error.message : String(error);
  if (hasErrorCode(error, 'EACCES', 'EROFS')) return `${message}: ${NO_RIGHT_ADVICE}`;
  return isDiskFault(error) ? `${message}: ${DISK_FAULT_ADVICE}` : message;
}

const FAILURE_CODES = { 0: 'failed', 1: 'failed', 2: 'usage', 3: 'unreachable' } as const satisfies Record<
  ExitCode,
  string
>;

/** The failure as a program reads it with `--json`: of the form in which the edge responds. */
export function failureJson(error: unknown, message: string, exitCode: ExitCode) {
  const cause = error instanceof BrokenOffError ? error.cause : error;
  const isOfEdge = cause instanceof EdgeError && cause.kind === 'status';
  const code = cause instanceof RefusedError ? 'refused' : FAILURE_CODES[exitCode];
  return {
    ok: false,
    error: isOfEdge ? cause.code : code,
    message: isOfEdge ? cause.message : message,
    details: isOfEdge ? cause.details : {},
  };
}

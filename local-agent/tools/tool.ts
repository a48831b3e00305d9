/** The context that every host tool gets, and the outcome that it returns. */
import { z } from 'zod';
import type { InstructionResultBody } from '../../schema/contracts/instructions.ts';
import { RESULT_STATUSES } from '../../schema/contracts/instructions.ts';
import type { HostTool, ToolParams } from '../../schema/contracts/tools.ts';
import { INSTRUCTION } from '../../schema/defaults.ts';
import type { FileErrorCode, Roots } from '../host/roots.ts';
import { FileError } from '../host/roots.ts';
import type { Keep } from '../host/write-file.ts';
import { fitToBody } from '../lib/fit-text.ts';
import type { Redact } from '../lib/redact.ts';
import type { RunningProcess } from '../worker-runner/orphans.ts';

/** The result of an instruction as it is reported to the edge, without the node's id. */
export type InstructionResult = Omit<
  InstructionResultBody,
  'controller_id' | 'inline_chars' | 'exit_code' | 'error_code'
> & {
  exit_code: number | null;
  error_code: string | null;
};
/** A result as it is stored in `executions.result`. */
export const InstructionResultSchema = z.object({
  status: z.enum(RESULT_STATUSES),
  output: z.string(),
  exit_code: z.number().int().nullable(),
  error_code: z.string().nullable(),
  duration_ms: z.number().int().nonnegative(),
  truncated: z.boolean(),
});

export type ToolOutcome = Omit<InstructionResult, 'duration_ms'>;

export interface ToolContext {
  roots: Roots;
  redact: Redact;
  /** The agent's environment. A program gets a few of its variables. */
  env: Readonly<Record<string, string | undefined>>;
  /** Where programs are looked up, as a person has set it; null for the agent's own PATH. */
  programPath?: string | null;
  /** Aborted when the agent stops or the instruction is canceled; the reason is a `StopCause`. */
  signal: AbortSignal;
  timeoutMs: number;
  /** Keeps a file before it is changed, so that a person can undo the change. */
  keeper: Keep;
  /** The mark of the programs that this effect starts. */
  mark: string;
  /** Called with the process group of a program that was started for the instruction. */
  onProcess: (running: RunningProcess) => void;
  /** Called with the redacted output of the program as it arrives. */
  onOutput: (text: string) => void;
  /** A name that no file has, for content that is written before it replaces a file. */
  newTemporaryName: () => string;
}

/** Why a running effect is stopped. */
export const STOP_CAUSES = ['agent_stopped', 'canceled'] as const;
export type StopCause = (typeof STOP_CAUSES)[number];

export type ToolHandler<N extends HostTool> = (params: ToolParams<N>, context: ToolContext) => Promise<ToolOutcome>;

export function success(output: string, truncated = false): ToolOutcome {
  return { status: 'succeeded', output, exit_code: null, error_code: null, truncated };
}

/** Any outcome but success, with its reason in words. */
export function failure(
  status: 'failed' | 'denied' | 'canceled' | 'interrupted',
  error_code: string,
  output: string,
): ToolOutcome {
  return { status, output, exit_code: null, error_code, truncated: false };
}

/** The status of an effect that was stopped by the signal. */
export function stopStatus(signal: AbortSignal): Pick<ToolOutcome, 'status' | 'error_code'> {
  if (signal.reason === ('canceled' satisfies StopCause)) return { status: 'canceled', error_code: 'canceled' };
  return { status: 'interrupted', error_code: 'agent_stopped' };
}

/** The context's signal, which is also aborted when the time limit is reached. */
export function timeLimited({ signal, timeoutMs }: Pick<ToolContext, 'signal' | 'timeoutMs'>): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
}

/** The outcome of a tool that `timeLimited` stopped. */
export function stoppedOutcome(signal: AbortSignal): ToolOutcome {
  if (signal.reason instanceof DOMException) return failure('failed', 'timeout', 'the time limit was reached');
  return { ...stopStatus(signal), output: 'the instruction was stopped', exit_code: null, truncated: false };
}

/** A text cut to the limit of an output. */
export function clipToOutput(text: string): { text: string; clipped: boolean } {
  return clipBytes(text, INSTRUCTION.max_output_bytes);
}

/** File errors that are denials by the roots; the others are failures. */
const DENIALS: ReadonlySet<FileErrorCode> = new Set(['path_outside_roots', 'path_protected', 'hard_linked']);

/** The outcome of a file operation that threw. Unexpected errors are thrown again. */
export function fileOutcome(error: unknown): ToolOutcome {
  if (!(error instanceof FileError)) throw error;
  return failure(DENIALS.has(error.code) ? 'denied' : 'failed', error.code, error.message);
}

/** The first `maxBytes` of a text in UTF-8, without a cut character. */
export function clipBytes(text: string, maxBytes: number): { text: string; clipped: boolean } {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= maxBytes) return { text, clipped: false };
  let end = maxBytes;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return { text: bytes.subarray(0, end).toString('utf8'), clipped: true };
}

/** The same outcome with as much of its output as a request can carry. */
export function fitOutput(outcome: ToolOutcome): ToolOutcome {
  const output = fitToBody(outcome.output);
  return { ...outcome, output, truncated: outcome.truncated || output !== outcome.output };
}

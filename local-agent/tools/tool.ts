/** What every host tool is given and gives back. */
import { z } from 'zod';
import type { InstructionResultBody } from '../../schema/contracts/instructions.ts';
import { RESULT_STATUSES } from '../../schema/contracts/instructions.ts';
import type { HostTool, ToolParams } from '../../schema/contracts/tools.ts';
import { INSTRUCTION } from '../../schema/defaults.ts';
import type { Keep } from '../host/fs.ts';
import type { FileErrorCode, Roots } from '../host/roots.ts';
import { FileError } from '../host/roots.ts';
import { fitToBody } from '../lib/fit-text.ts';
import type { Redact } from '../lib/redact.ts';
import type { RunningProcess } from '../worker-runner/orphans.ts';

/** An instruction's result: what the edge is told, without the node's name. */
export type InstructionResult = Omit<InstructionResultBody, 'controller_id' | 'exit_code' | 'error_code'> & {
  exit_code: number | null;
  error_code: string | null;
};
/** A result as it is kept in `executions.result`. */
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
  /** The agent's environment, of which a child gets a few names. */
  env: Readonly<Record<string, string | undefined>>;
  /** Aborts when the agent stops or the instruction is canceled; its reason is a `StopCause`. */
  signal: AbortSignal;
  timeoutMs: number;
  /** Keeps what is about to be replaced by `after` (null: removed), so that a person can undo it. */
  keeper: (after: Buffer | null) => Keep;
  /** A program runs for the instruction: its process group and what tells it from a later one of that number. */
  onProcess: (running: RunningProcess) => void;
  /** What the program prints, redacted, as it comes. */
  onOutput: (text: string) => void;
  /** A file name that nothing has: for what is written before it takes its place. */
  newTemporaryName: () => string;
}

/** Why an effect is ended from outside. */
export const STOP_CAUSES = ['agent_stopped', 'canceled'] as const;
export type StopCause = (typeof STOP_CAUSES)[number];

export type ToolHandler<N extends HostTool> = (params: ToolParams<N>, context: ToolContext) => Promise<ToolOutcome>;

export function succeeded(output: string, truncated = false): ToolOutcome {
  return { status: 'succeeded', output, exit_code: null, error_code: null, truncated };
}

/** A result without an effect to show: why it is so, in words. */
export function ended(
  status: 'failed' | 'denied' | 'canceled' | 'interrupted',
  error_code: string,
  output: string,
): ToolOutcome {
  return { status, output, exit_code: null, error_code, truncated: false };
}

/** How an effect ended that was ended from outside. */
export function stopStatus(signal: AbortSignal): Pick<ToolOutcome, 'status' | 'error_code'> {
  if (signal.reason === ('canceled' satisfies StopCause)) return { status: 'canceled', error_code: 'canceled' };
  return { status: 'interrupted', error_code: 'agent_stopped' };
}

/** The context's signal, aborted as well when the instruction's time is up. */
export function timeLimited({ signal, timeoutMs }: Pick<ToolContext, 'signal' | 'timeoutMs'>): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
}

/** The outcome of a tool that `timeLimited` stopped. */
export function stoppedOutcome(signal: AbortSignal): ToolOutcome {
  if (signal.reason instanceof DOMException) return ended('failed', 'timeout', 'its time was up');
  return { ...stopStatus(signal), output: 'it was stopped', exit_code: null, truncated: false };
}

/** As much of a text as an output holds. */
export function clipToOutput(text: string): { text: string; clipped: boolean } {
  return clipBytes(text, INSTRUCTION.max_output_bytes);
}

/** What the policy forbids by its roots, as against what merely went wrong. */
const FORBIDDEN: ReadonlySet<FileErrorCode> = new Set(['path_outside_roots', 'path_protected', 'hard_linked']);

/** The outcome of a file operation that threw; what is not expected is thrown on. */
export function fileOutcome(error: unknown): ToolOutcome {
  if (!(error instanceof FileError)) throw error;
  return ended(FORBIDDEN.has(error.code) ? 'denied' : 'failed', error.code, error.message);
}

/** The first `maxBytes` of a text in UTF-8, without cutting a character. */
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

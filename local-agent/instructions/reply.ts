/**
 * The one reply to a message, in Markdown: each instruction with how it ended and what it gave, then what could not
 * be read. Whatever an output holds, no `baa` block arises from a reply: outputs stand in fences longer than any
 * they contain, and a `baa` fence inside one is made inert on top of that, for pages that show text otherwise.
 */
import type { BlockError, InstructionState } from '../../schema/contracts/instructions.ts';
import { DELIVERY } from '../../schema/defaults.ts';
import { howToAllow } from '../policy/denial.ts';
import type { ExecutionRow } from './execution-store.ts';

export type ReplyExecution = Pick<ExecutionRow, 'idx' | 'name' | 'status' | 'gate' | 'result' | 'artifact_url'>;

export interface ReplyLimits {
  /** An output longer than that is shown as a summary with a link. */
  inlineChars: number;
}

const BAA_FENCE = /(?<!`)(`{3,}[ \t]*)baa|(?<!~)(~{3,}[ \t]*)baa/gi;

/** The same text, in which no fence opens a `baa` block. */
export function neutralize(text: string): string {
  return text.replace(
    BAA_FENCE,
    (_all, ticks: string | undefined, tildes: string | undefined) => `${ticks ?? tildes}inert-baa`,
  );
}

/** A text as inline code: one line, without what would end it. */
function inlineCode(text: string, maxChars = 300): string {
  const line = text.replace(/[\s`]+/g, ' ').trim();
  const shown = line.length > maxChars ? `${line.slice(0, maxChars).toWellFormed()}…` : line;
  return shown === '' ? '``' : `\`${shown}\``;
}

/** A fenced block that its content cannot end. */
function fenced(text: string): string {
  const inert = neutralize(text);
  let longest = 2;
  for (const run of inert.match(/`+/g) ?? []) longest = Math.max(longest, run.length);
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${inert.endsWith('\n') ? inert.slice(0, -1) : inert}\n${fence}`;
}

function duration(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

const NOT_RUN: Partial<Record<InstructionState, string>> = {
  blocked: 'not run',
  expired: 'not run, too old',
  shadowed: 'not run, the host records only (shadow mode)',
  denied: 'denied',
  canceled: 'canceled',
  interrupted: 'interrupted: whether it took effect is not known',
};

function headline({ name, status, gate, result }: ReplyExecution): string {
  const code = result?.error_code ?? gate;
  const parts = [status === 'succeeded' ? 'ok' : (NOT_RUN[status] ?? status) + (code ? `: ${inlineCode(code)}` : '')];
  if (result && result.exit_code !== null) parts.push(`exit code ${result.exit_code}`);
  if (result) parts.push(duration(result.duration_ms));
  if (result?.truncated) parts.push('output truncated');
  return `${inlineCode(name)} — ${parts.join(' · ')}`;
}

/** Which line of the policy could be changed for it, when one could; what ran and was denied says so in its output. */
function note({ status, gate, result }: ReplyExecution): string[] {
  const hint = status === 'denied' && result === null && gate !== null ? howToAllow(gate) : null;
  return hint === null ? [] : [hint];
}

function output({ result, artifact_url }: ReplyExecution, { inlineChars }: ReplyLimits): string[] {
  const text = result?.output ?? '';
  if (text.trim() === '') return [];
  if (text.length <= inlineChars) return [fenced(text)];
  const summary = fenced(`${text.slice(0, DELIVERY.summary_chars).toWellFormed()}…`);
  const link = artifact_url && /^https?:\/\/[^\s<>`]+$/.test(artifact_url) ? ` Full text: <${artifact_url}>` : '';
  return [summary, `${text.length} characters in all.${link}`];
}

function blockError({ block_index, line, code, message }: BlockError): string {
  return `Block ${block_index + 1}, line ${line}: ${inlineCode(code)} ${inlineCode(message)}`;
}

/** The text of the reply. */
export function composeReply(
  executions: readonly ReplyExecution[],
  blockErrors: readonly BlockError[],
  limits: ReplyLimits,
): string {
  const parts = ['**conductor** result'];
  for (const execution of executions) {
    parts.push(`${execution.idx + 1}\\. ${headline(execution)}`, ...note(execution), ...output(execution, limits));
  }
  parts.push(...blockErrors.map(blockError));
  return parts.join('\n\n');
}

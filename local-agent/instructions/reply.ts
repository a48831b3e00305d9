/**
 * The reply to a message, in Markdown: each instruction with its end and its output, then the errors of blocks. No output
 * can make a `baa` block of a reply: it is put in a fence longer than any that it contains. A `baa` fence inside it is made
 * inert too, for pages that do not render Markdown. An output is shortened if and only if the edge names a link to the
 * whole of it.
 */
import type { BlockError, InstructionState } from '../../schema/contracts/instructions.ts';
import { DELIVERY } from '../../schema/defaults.ts';
import { howToAllow } from '../policy/denial.ts';
import type { ExecutionRow } from './execution-store.ts';

export type ReplyExecution = Pick<ExecutionRow, 'idx' | 'name' | 'status' | 'gate' | 'result' | 'artifact_url'>;

const WEB_ADDRESS = /^https?:\/\/[^\s<>`]+$/;
const BAA_FENCE = /(?<!`)(`{3,}[ \t]*)baa|(?<!~)(~{3,}[ \t]*)baa/gi;

/** The text with its `baa` fences renamed, so that none opens a block. */
export function neutralize(text: string): string {
  return text.replace(
    BAA_FENCE,
    (_all, ticks: string | undefined, tildes: string | undefined) => `${ticks ?? tildes}inert-baa`,
  );
}

/** A text as inline code: in one line and without backticks. */
function inlineCode(text: string, maxChars = 300): string {
  const line = text.replace(/[\s`]+/g, ' ').trim();
  const cut = line.length > maxChars ? `${line.slice(0, maxChars).toWellFormed()}…` : line;
  return cut === '' ? '``' : `\`${cut}\``;
}

/** A fenced block whose fence is longer than any in its content. */
function fence(text: string): string {
  const inert = neutralize(text);
  let longest = 2;
  for (const run of inert.match(/`+/g) ?? []) longest = Math.max(longest, run.length);
  const marks = '`'.repeat(longest + 1);
  return `${marks}text\n${inert.endsWith('\n') ? inert.slice(0, -1) : inert}\n${marks}`;
}

function durationText(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** How the headline names each state. A reply is written after the end, so the open states do not occur in one. */
const STATE_TEXTS: Record<InstructionState, string> = {
  claimed: 'claimed',
  waiting: 'waiting',
  awaiting_approval: 'awaiting_approval',
  running: 'running',
  succeeded: 'ok',
  failed: 'failed',
  blocked: 'not run',
  expired: 'not run, too old',
  shadowed: 'not run, the host records only (shadow mode)',
  denied: 'denied',
  canceled: 'canceled',
  interrupted: 'interrupted: whether it took effect is not known',
};

function headline({ name, status, gate, result }: ReplyExecution): string {
  const code = result?.error_code ?? gate;
  const parts = [STATE_TEXTS[status] + (status !== 'succeeded' && code ? `: ${inlineCode(code)}` : '')];
  if (result && result.exit_code !== null) parts.push(`exit code ${result.exit_code}`);
  if (result) parts.push(durationText(result.duration_ms));
  if (result?.truncated) parts.push('output truncated');
  return `${inlineCode(name)} — ${parts.join(' · ')}`;
}

/** How a person could allow a call that the policy denied before it started; later denials say so in their output. */
function policyHint({ status, gate, result }: ReplyExecution): string[] {
  const hint = status === 'denied' && result === null && gate !== null ? howToAllow(gate) : null;
  return hint === null ? [] : [hint];
}

function outputParts({ result, artifact_url }: ReplyExecution): string[] {
  const text = result?.output ?? '';
  if (text.trim() === '') return [];
  if (artifact_url === null || !WEB_ADDRESS.test(artifact_url)) return [fence(text)];
  const beginning = fence(`${text.slice(0, DELIVERY.summary_chars).toWellFormed()}…`);
  return [beginning, `${text.length} characters in all. Full text: <${artifact_url}>`];
}

function blockErrorText({ block_index, line, code, message }: BlockError): string {
  return `Block ${block_index + 1}, line ${line}: ${inlineCode(code)} ${inlineCode(message)}`;
}

/** The text of the reply. */
export function composeReply(executions: readonly ReplyExecution[], blockErrors: readonly BlockError[]): string {
  const parts = ['**conductor** result'];
  for (const execution of executions) {
    parts.push(`${execution.idx + 1}\\. ${headline(execution)}`, ...policyHint(execution), ...outputParts(execution));
  }
  parts.push(...blockErrors.map(blockErrorText));
  return parts.join('\n\n');
}

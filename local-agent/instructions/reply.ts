/**
 * The reply to a message, in Markdown: each instruction with its end and its output, then the errors of blocks. No output
 * can make a `baa` block of a reply: it is put in a fence longer than any that it contains. A `baa` fence inside it is made
 * inert too, for pages that do not render Markdown. The outputs share the limit of a reply (reply-output.ts).
 */
import type { BlockError, InstructionState } from '../../schema/contracts/instructions.ts';
import type { ToolName } from '../../schema/contracts/tools.ts';
import { DELIVERY } from '../../schema/defaults.ts';
import { howToAllow } from '../policy/denial.ts';
import type { ExecutionRow } from './execution-store.ts';
import type { Shortened } from './reply-output.ts';
import { readOnCall, shareOut, shorten } from './reply-output.ts';

export type ReplyExecution = Pick<
  ExecutionRow,
  'instruction_id' | 'idx' | 'name' | 'status' | 'gate' | 'result' | 'artifact_url'
>;

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

/** Control characters but tab and line breaks, which a page may act on or drop. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is shown
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

function visibleControls(text: string): string {
  const lines = text.replaceAll('\r\n', '\n');
  return lines.replace(CONTROL, (char) => `\\u{${char.charCodeAt(0).toString(16)}}`);
}

/** A fenced block whose fence is longer than any in its content. */
function fence(text: string): string {
  const inert = neutralize(visibleControls(text));
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

/**
 * The edge has another end than this node reported only when a person has said what became of it: the node did not know, or
 * its report came too late.
 */
function personsWord({ status, result }: ReplyExecution): string | null {
  if (result === null || result.status === status) return null;
  if (status === 'succeeded') return 'ok, as a person has found: it took effect';
  return status === 'failed' ? 'failed, as a person has found: it did not take effect' : null;
}

/** An instruction whose claim expired before its start ends as interrupted too, but certainly did not run. */
function stateText(execution: ReplyExecution): string {
  const { status, result } = execution;
  const said = personsWord(execution);
  if (said !== null) return said;
  const isUnstarted = status === 'interrupted' && result?.error_code === 'claim_expired';
  return isUnstarted ? 'not run' : STATE_TEXTS[status];
}

function headline(execution: ReplyExecution): string {
  const { name, status, gate, result } = execution;
  const code = result?.error_code ?? gate;
  const parts = [stateText(execution) + (status !== 'succeeded' && code ? `: ${inlineCode(code)}` : '')];
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

/** The tools whose output is shown whole: an assistant that cannot see all of it cannot learn its tools. */
const WHOLE: ReadonlySet<string> = new Set<ToolName>(['conductor::describe']);

function readOn({ name, instruction_id, artifact_url }: ReplyExecution, { skipped }: Shortened): string {
  const isPart = name === ('conductor::output/read' satisfies ToolName);
  const how = isPart ? 'Ask for a smaller length.' : `To read on: ${inlineCode(readOnCall(instruction_id, skipped))}`;
  const link = artifact_url !== null && WEB_ADDRESS.test(artifact_url) ? ` For people: <${artifact_url}>` : '';
  return `${skipped.chars} characters (${skipped.lines} lines) are left out between these two parts. ${how}${link}`;
}

function outputParts(execution: ReplyExecution, maxChars: number): string[] {
  const text = execution.result?.output ?? '';
  if (text.trim() === '') return [];
  const short = WHOLE.has(execution.name) ? null : shorten(text, maxChars);
  return short === null ? [fence(text)] : [fence(short.head), readOn(execution, short), fence(short.tail)];
}

function blockErrorText({ block_index, line, code, message }: BlockError): string {
  return `Block ${block_index + 1}, line ${line}: ${inlineCode(code)} ${inlineCode(message)}`;
}

/** The text of the reply. Its outputs have at most `maxChars` characters together. */
export function composeReply(
  executions: readonly ReplyExecution[],
  blockErrors: readonly BlockError[],
  maxChars: number = DELIVERY.reply_chars,
): string {
  const parts = ['**conductor** result'];
  const shares = shareOut(
    executions.map(({ result }) => result?.output.length ?? 0),
    maxChars,
  );
  for (const [n, execution] of executions.entries()) {
    parts.push(`${execution.idx + 1}\\. ${headline(execution)}`, ...policyHint(execution));
    parts.push(...outputParts(execution, shares[n] ?? 0));
  }
  parts.push(...blockErrors.map(blockErrorText));
  return parts.join('\n\n');
}

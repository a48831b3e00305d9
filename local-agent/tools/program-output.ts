/**
 * What is reported of a program that has ended: both outputs as text, with a line for what was left out in the middle, and
 * notes on what the outputs do not say: the signal that ended it, the time limit, what it left running.
 */
import { INSTRUCTION } from '../../schema/defaults.ts';
import { makeVisible } from '../../schema/domain/visible.ts';
import { cutEnd, cutStart } from '../lib/cut-bytes.ts';
import { terminalText } from '../lib/terminal-text.ts';
import type { FoundProcess } from '../worker-runner/find-processes.ts';
import type { Collected } from '../worker-runner/output.ts';
import type { ProgramEnd } from '../worker-runner/spawn.ts';

type StartedProgramEnd = Extract<ProgramEnd, { started: true }>;

/** Both outputs and the notes share the limit of an output. */
const MAX_BYTES = INSTRUCTION.max_output_bytes;
const NOTE_BYTES = 4 * 1024;
/** Of a stream; stderr gets at most half when both are long. */
const STREAM_BYTES = MAX_BYTES - NOTE_BYTES;
/** Dropped at each side of what the collector left out, because a part of a secret there is not recognised. */
const SLACK_CHARS = 8 * 1024;
export const COLLECTED_BYTES = STREAM_BYTES + 4 * SLACK_CHARS;
const HEAD_PART = 1 / 4;

const STDERR_HEAD = '\n[stderr]\n';
const NOTE_HEAD = '[conductor] ';
const MAX_NAMED = 10;
const MAX_COMMAND_CHARS = 120;

/** One stream as text: whole, or its beginning and its end. */
interface StreamText {
  head: string;
  tail: string;
  skipped: Collected['skipped'];
}

type Clean = (text: string) => string;

function bytesOf(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

function countLines(text: string): number {
  return text.split('\n').length - 1;
}

function streamText({ head, tail, skipped }: Collected, clean: Clean): StreamText {
  if (skipped === null) return { head: clean(Buffer.concat([head, tail]).toString('utf8')), tail: '', skipped: null };
  const first = clean(cutEnd(head, head.length));
  const last = clean(cutStart(tail, tail.length));
  const [headEnd, tailStart] = [Math.max(0, first.length - SLACK_CHARS), Math.min(last.length, SLACK_CHARS)];
  const dropped = first.slice(headEnd) + last.slice(0, tailStart);
  return {
    head: first.slice(0, headEnd).toWellFormed(),
    tail: last.slice(tailStart).toWellFormed(),
    skipped: { bytes: skipped.bytes + bytesOf(dropped), lines: skipped.lines + countLines(dropped) },
  };
}

/** The stream cut to `maxBytes`: its beginning and its end, and what was left out between. */
function fitStream({ head, tail, skipped }: StreamText, maxBytes: number): { text: string; cut: boolean } {
  if (skipped === null && bytesOf(head) <= maxBytes) return { text: head, cut: false };
  const headBytes = Math.floor(maxBytes * HEAD_PART);
  const first = cutEnd(Buffer.from(head), headBytes);
  const end = skipped === null ? head.slice(first.length) : tail;
  const last = cutStart(Buffer.from(end), maxBytes - headBytes);
  const dropped = head.slice(first.length, skipped === null ? head.length - last.length : head.length);
  const droppedTail = skipped === null ? '' : tail.slice(0, tail.length - last.length);
  const bytes = (skipped?.bytes ?? 0) + bytesOf(dropped) + bytesOf(droppedTail);
  const lines = (skipped?.lines ?? 0) + countLines(dropped) + countLines(droppedTail);
  const note = `${NOTE_HEAD}${bytes} bytes (${lines} lines) were left out here and are not kept`;
  return { text: `${endLine(first)}${note}\n${last}`, cut: true };
}

function endLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

/** The text of both streams within the limit; stdout gets what stderr does not need. */
function outputsText(stdout: StreamText, stderr: StreamText): { text: string; truncated: boolean } {
  const sizeOf = ({ head, tail }: StreamText) => bytesOf(head) + bytesOf(tail);
  const forStderr = Math.min(sizeOf(stderr), Math.max(STREAM_BYTES / 2, STREAM_BYTES - sizeOf(stdout)));
  const out = fitStream(stdout, STREAM_BYTES - forStderr);
  const err = fitStream(stderr, forStderr);
  const text = err.text === '' ? out.text : `${out.text}${STDERR_HEAD}${err.text}`;
  return { text, truncated: out.cut || err.cut };
}

/** What a shell reports of a program that a signal ended: 128 and the number of the signal. */
const SHELL_SIGNALS: Readonly<Record<number, string>> = {
  132: 'SIGILL',
  134: 'SIGABRT',
  135: 'SIGBUS',
  136: 'SIGFPE',
  137: 'SIGKILL',
  139: 'SIGSEGV',
  141: 'SIGPIPE',
  143: 'SIGTERM',
};
const SIGNAL_HINTS: Readonly<Record<string, string>> = {
  SIGKILL: 'the system does that when memory runs out',
  SIGSEGV: 'it accessed memory that it does not have',
  SIGABRT: 'it aborted itself',
  SIGBUS: 'it accessed memory that it does not have',
};

function signalNote({ exit_code, signal, stopped }: StartedProgramEnd): string[] {
  if (stopped !== null) return [];
  const hint = (name: string) => (SIGNAL_HINTS[name] === undefined ? '' : `; ${SIGNAL_HINTS[name]}`);
  if (signal !== null) return [`the program was ended by ${signal}${hint(signal)}`];
  const shell = exit_code === null ? undefined : SHELL_SIGNALS[exit_code];
  if (shell === undefined) return [];
  return [`exit code ${exit_code} is how a shell reports a program that was ended by ${shell}${hint(shell)}`];
}

function stopNote({ stopped, signal, exit_code }: StartedProgramEnd, timeoutMs: number): string[] {
  const how = signal === null ? `it ended with exit code ${exit_code}` : `it was ended by ${signal}`;
  if (stopped === 'timeout') return [`the time limit of ${timeoutMs} ms was reached; ${how}`];
  return stopped === null ? [] : [`the program was stopped; ${how}`];
}

function leftBehindNote(processes: readonly FoundProcess[], clean: Clean): string[] {
  if (processes.length === 0) return [];
  const named = processes.slice(0, MAX_NAMED).map(({ pid, command }) => {
    const line = makeVisible(clean(command).replace(/\s+/g, ' '));
    const cut = line.length > MAX_COMMAND_CHARS ? `${line.slice(0, MAX_COMMAND_CHARS).toWellFormed()}…` : line;
    return `${cut || 'a process without a name'} (pid ${pid})`;
  });
  const more = processes.length > MAX_NAMED ? `, and ${processes.length - MAX_NAMED} more` : '';
  return [
    `ended what the program left running: ${named.join(', ')}${more}. ` +
      'Nothing runs on after its instruction; use it within one script, or ask a person to start it',
  ];
}

/** The output of a program as its result reports it. `redact` removes secrets. */
export function programOutput(
  end: StartedProgramEnd,
  { redact, timeoutMs, notes = [] }: { redact: Clean; timeoutMs: number; notes?: readonly string[] },
): { output: string; truncated: boolean } {
  const clean: Clean = (text) => redact(terminalText(text));
  const { text, truncated } = outputsText(streamText(end.stdout, clean), streamText(end.stderr, clean));
  const lines = [...stopNote(end, timeoutMs), ...signalNote(end), ...leftBehindNote(end.leftBehind, clean), ...notes];
  if (lines.length === 0) return { output: text, truncated };
  const noted = cutEnd(Buffer.from(lines.map((line) => `${NOTE_HEAD}${line}`).join('\n')), NOTE_BYTES);
  return { output: `${endLine(text)}${noted}`, truncated };
}

/** Output of the commands: tables and fields for people, with colours on a terminal, and JSON for programs. */
import { randomInt } from 'node:crypto';
import { inspect } from 'node:util';
import Table from 'cli-table3';
import { makeVisible, makeVisibleLine, visibleJson } from '../../schema/domain/visible.ts';
import type { Args } from './command.ts';
import type { CommandDeps } from './deps.ts';

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';

const ESC = String.fromCharCode(27);
/**
 * In front of the codes of our own styles until they are printed. It is secret, so no foreign text can hold it. Libraries
 * that measure or strip styles know numbers of up to four digits.
 */
const OWN = Array.from({ length: 4 }, () => randomInt(1_000, 10_000)).join(';');
const OWN_STYLES = new RegExp(`${ESC}\\[${OWN};(\\d+)m`);

/** Styles `text` on a terminal, unless NO_COLOR is set. `withSafeOutput` lets these styles through and no other. */
export function styled(deps: CommandDeps, style: Style, text: string): string {
  if (!deps.isTerminal || deps.env.NO_COLOR) return text;
  const [on, off] = inspect.colors[style] ?? [0, 0];
  return `${ESC}[${OWN};${on}m${text}${ESC}[${OWN};${off}m`;
}

/**
 * The dependencies for a command: in all that it prints, no control or invisible character of a foreign text reaches the
 * terminal; only our own styles do.
 */
export function withSafeOutput(deps: CommandDeps): CommandDeps {
  const safe = (line: string) =>
    line
      .split(OWN_STYLES)
      .map((part, at) => (at % 2 === 1 ? `${ESC}[${part}m` : makeVisible(part)))
      .join('');
  return { ...deps, print: (line) => deps.print(safe(line)), warn: (line) => deps.warn(safe(line)) };
}

const NO_BORDERS = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'].map((key) => [
    key,
    '',
  ]),
);
const PLAIN = {
  ...NO_BORDERS,
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** A value as text on one line. Control characters and direction marks in text from pages and chats are made visible. */
function formatCell(value: unknown): string {
  if (value === null || value === undefined) return '-';
  return makeVisibleLine(typeof value === 'string' ? value : JSON.stringify(value));
}

/** Prints rows under a head, or the line `none` when there are no rows. */
export function printTable(
  deps: CommandDeps,
  head: readonly string[],
  rows: readonly (readonly unknown[])[],
  none: string,
): void {
  if (rows.length === 0) {
    deps.print(none);
    return;
  }
  const style = { head: [], border: [], 'padding-left': 0, 'padding-right': 0 };
  const table = new Table({ head: head.map((name) => styled(deps, 'bold', name)), chars: PLAIN, style });
  for (const row of rows) table.push(row.map(formatCell));
  for (const line of table.toString().split('\n')) deps.print(line.trimEnd());
}

/** Prints names and values, one pair per line. */
export function printFields(deps: CommandDeps, fields: Readonly<Record<string, unknown>>): void {
  const width = Math.max(...Object.keys(fields).map((name) => name.length));
  for (const [name, value] of Object.entries(fields))
    deps.print(`${styled(deps, 'dim', name.padEnd(width))}  ${formatCell(value)}`);
}

/** Prints a name and, indented below it, a text of any number of lines: none of them can pass for a field. */
export function printText(deps: CommandDeps, name: string, text: string): void {
  deps.print(styled(deps, 'dim', name));
  for (const line of makeVisible(text).split('\n')) deps.print(`  ${line}`);
}

/** With `--json` prints the value as JSON, on one line when it is piped; otherwise runs `printForPeople`. */
export function present(args: Args, deps: CommandDeps, value: unknown, printForPeople: () => void): void {
  if (args.json === true) deps.print(visibleJson(value, deps.isTerminal ? 2 : 0));
  else printForPeople();
}

/** A time (Unix milliseconds) as date and time with its zone, which is UTC; `-` for null. */
export function moment(at: number | null): string {
  return at === null ? '-' : `${new Date(at).toISOString().replace('T', ' ').slice(0, 19)} UTC`;
}

/** The fields with those times readable whose names end in `_at`. */
export function withMoments(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const readable = Object.entries(fields).map(([name, value]) => [
    name,
    name.endsWith('_at') && typeof value === 'number' ? moment(value) : value,
  ]);
  return Object.fromEntries(readable) as Record<string, unknown>;
}

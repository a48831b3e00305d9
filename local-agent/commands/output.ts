/** Output of the commands: tables and fields for people, with colours on a terminal, and JSON for programs. */
import { randomInt } from 'node:crypto';
import { inspect } from 'node:util';
import Table from 'cli-table3';
import { makeVisible, makeVisibleLine, visibleJson } from '../../schema/domain/visible.ts';
import type { Args } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { cutToWidth, fitsWhole, fitWidths, rowBlock, wrapText } from './fit-table.ts';

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

/** Says on a terminal what takes a while. Programs that read the output get nothing of it. */
export function progress(deps: CommandDeps, text: string): void {
  if (deps.isTerminal) deps.warn(styled(deps, 'dim', `${text} …`));
}

const NO_VALUE = '-';

/** A value as text on one line. Control characters and direction marks in text from pages and chats are made visible. */
function formatCell(value: unknown): string {
  if (value === null || value === undefined) return NO_VALUE;
  return makeVisibleLine(typeof value === 'string' ? value : JSON.stringify(value));
}

const TABLE_STYLE = { head: [], border: [], 'padding-left': 0, 'padding-right': 0 };
const ASCII = /^[\x20-\x7e]*$/;

/** How many columns of a terminal the text takes, by the library that draws the tables. */
function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  const table = new Table({ chars: PLAIN, style: TABLE_STYLE });
  table.push([text]);
  table.toString();
  return table.options.colWidths[0] ?? text.length;
}

/** Prints each row as a block of names and values, with an empty line between two rows. */
function printBlocks(deps: CommandDeps, head: readonly string[], rows: readonly string[][], columns: number): void {
  for (const [at, row] of rows.entries()) {
    if (at > 0) deps.print('');
    for (const { name, lines } of rowBlock(head, row, columns, widthOf)) {
      const [first = '', ...rest] = lines;
      deps.print(`${styled(deps, 'bold', name)}${first}`.trimEnd());
      for (const line of rest) deps.print(line);
    }
  }
}

/** The table without the columns in which no row has a value. */
function withoutEmpty(head: readonly string[], rows: readonly string[][]): { head: string[]; cells: string[][] } {
  const isShown = head.map((_, at) => rows.some((row) => (row[at] ?? NO_VALUE) !== NO_VALUE));
  return { head: head.filter((_, at) => isShown[at]), cells: rows.map((row) => row.filter((_, at) => isShown[at])) };
}

/**
 * Prints rows under a head, or the line `none` when there are no rows. On a terminal long cells give way to its width; on
 * one that is too narrow columns without a value are left out first, and when the others cannot fit each row is a block.
 */
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
  const whole = { head, cells: rows.map((row) => row.map(formatCell)) };
  const columns = deps.isTerminal ? deps.columns() : null;
  const widthsOf = (table: typeof whole) =>
    columns === null ? null : fitWidths(table.head, table.cells, columns, widthOf);
  const shown =
    columns === null || fitsWhole(head, whole.cells, columns, widthOf) ? whole : withoutEmpty(head, whole.cells);
  const widths = widthsOf(shown);
  if (columns !== null && widths === null) {
    printBlocks(deps, head, whole.cells, columns);
    return;
  }
  const table = new Table({
    head: shown.head.map((name) => styled(deps, 'bold', name)),
    chars: PLAIN,
    style: TABLE_STYLE,
  });
  for (const row of shown.cells) {
    table.push(widths === null ? row : row.map((cell, at) => cutToWidth(cell, widths[at] ?? cell.length, widthOf)));
  }
  for (const line of table.toString().split('\n')) deps.print(line.trimEnd());
}

/**
 * Prints sentences behind `label`, on a terminal in lines of its width with the others indented below the first. A word
 * that is longer, such as a path, stays whole. A command to copy is no prose: print it as one line.
 */
export function printProse(deps: CommandDeps, text: string, label = ''): void {
  const columns = deps.isTerminal ? deps.columns() : null;
  const indent = widthOf(label);
  const visible = makeVisible(text);
  const [first = '', ...rest] = columns === null ? [visible] : wrapText(visible, columns - indent, widthOf, true);
  deps.print(`${label}${first}`);
  for (const line of rest) deps.print(`${' '.repeat(indent)}${line}`);
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

/** A time in the name of a file: sortable, in UTC, without characters that a file system refuses. */
export function fileStamp(at: number): string {
  return new Date(at).toISOString().replace(/[-:]|\..*$/g, '');
}

const MINUTE_MS = 60_000;

/** A time (Unix milliseconds) as date and time where the reader is, with the offset of that zone; `-` for null. */
export function moment(at: number | null, offsetMinutes = at === null ? 0 : -new Date(at).getTimezoneOffset()): string {
  if (at === null) return '-';
  const text = new Date(at + offsetMinutes * MINUTE_MS).toISOString().replace('T', ' ').slice(0, 19);
  return `${text} ${zoneName(offsetMinutes)}`;
}

function zoneName(offsetMinutes: number): string {
  if (offsetMinutes === 0) return 'UTC';
  const two = (number: number) => String(number).padStart(2, '0');
  const minutes = Math.abs(offsetMinutes);
  return `${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** The fields with those times readable whose names end in `_at`. */
export function withMoments(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const readable = Object.entries(fields).map(([name, value]) => [
    name,
    name.endsWith('_at') && typeof value === 'number' ? moment(value) : value,
  ]);
  return Object.fromEntries(readable) as Record<string, unknown>;
}

/** What people see: tables and colours on a terminal, plain text elsewhere. Programs get JSON. */
import { stripVTControlCharacters, styleText } from 'node:util';
import Table from 'cli-table3';
import { makeVisible } from '../lib/visible.ts';
import type { CommandDeps } from './deps.ts';
import type { Args } from './verb.ts';

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';

/** Colours `text` when a person looks. */
export function styled(deps: CommandDeps, style: Style, text: string): string {
  return deps.isTerminal && !deps.env.NO_COLOR ? styleText(style, text, { validateStream: false }) : text;
}

/** citty colours what it writes wherever it goes; this takes the colours out again where nobody looks. */
export function plain(deps: Pick<CommandDeps, 'isTerminal' | 'env'>, text: string): string {
  return deps.isTerminal && !deps.env.NO_COLOR ? text : stripVTControlCharacters(text);
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

/** What pages and chats wrote goes to the terminal with nothing hidden in it: no escape sequence, no change of direction. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return '-';
  return makeVisible(typeof value === 'string' ? value : JSON.stringify(value));
}

/** Rows under a head; `none` says so when there are none. */
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
  for (const row of rows) table.push(row.map(cell));
  for (const line of table.toString().split('\n')) deps.print(line.trimEnd());
}

/** Names and values, one a line. */
export function printFields(deps: CommandDeps, fields: Readonly<Record<string, unknown>>): void {
  const width = Math.max(...Object.keys(fields).map((name) => name.length));
  for (const [name, value] of Object.entries(fields))
    deps.print(`${styled(deps, 'dim', name.padEnd(width))}  ${cell(value)}`);
}

/** JSON when asked for (on one line for a program, so that it can read line by line), else whatever `human` prints. */
export function present(args: Args, deps: CommandDeps, value: unknown, human: () => void): void {
  if (args.json === true) deps.print(JSON.stringify(value, null, deps.isTerminal ? 2 : 0));
  else human();
}

/** A moment as people read it. */
export function moment(at: number | null): string {
  return at === null ? '-' : new Date(at).toISOString().replace('T', ' ').slice(0, 19);
}

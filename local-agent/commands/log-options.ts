/** Options of the commands that show the end of a log. */
import { InvalidArgumentError, Option } from 'commander';
import type { Args } from './command.ts';

const DEFAULT_LINES = 100;
const MAX_LINES = 100_000;

export const linesOption = new Option(
  '-n, --lines <count>',
  `how many of the last lines (default: ${DEFAULT_LINES})`,
).argParser((value: string) => {
  if (/^\d{1,6}$/.test(value) && Number(value) <= MAX_LINES) return value;
  throw new InvalidArgumentError(`It is not a number from 0 to ${MAX_LINES}.`);
});

/** The number of lines that the caller asked for. */
export function lineCount(args: Args): number {
  return typeof args.lines === 'string' ? Number(args.lines) : DEFAULT_LINES;
}

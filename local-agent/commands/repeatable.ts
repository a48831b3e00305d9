/**
 * Calls that have one effect under one operation id. The id is printed before the call, and each failure that ends it early
 * names the line that repeats it: a person who types the first line again would make a second effect.
 */
import { randomUUID } from 'node:crypto';
import type { Option } from 'commander';
import { valueOption } from '../config/flags.ts';
import { EdgeError } from '../edge/http-client.ts';
import { printedCommand, shellWord } from '../lib/printed-command.ts';
import type { Args, CliCommand } from './command.ts';
import { optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { BrokenOffError } from './exit-codes.ts';

export const operationOption = valueOption(
  '--operation-id <id>',
  'your name of this call; a repeat under it has no second effect, and gets the first result',
);

/** A command line as a value: `path` is the command with its group, as `tasks create`. */
type Line = Pick<CliCommand, 'argument' | 'further' | 'options'> & { path: string };

function optionWords(option: Option, args: Args): string[] {
  const value = args[option.attributeName()];
  const name = option.long ?? '';
  if (value === undefined || (typeof value === 'boolean' && value === option.negate)) return [];
  if (typeof value === 'boolean') return [name];
  return (typeof value === 'string' ? [value] : value).flatMap((one) => [name, one]);
}

/** The line that calls the command with these arguments. */
function lineOf({ path, argument, further = [], options }: Line, args: Args, { env }: CommandDeps): string {
  const given = [...(argument ? [argument] : []), ...further]
    .map((one) => args[one.name()])
    .filter((value) => typeof value === 'string');
  const words = options.flatMap((option) => optionWords(option, args));
  // What begins with a dash would be an option.
  const all = given.some((word) => word.startsWith('-')) ? [...words, '--', ...given] : [...given, ...words];
  return printedCommand(env, [path, ...all.map(shellWord)].join(' '));
}

export interface Operation {
  id: string;
  /** The person has not named it, so it is said. */
  isNew: boolean;
  /** The line that repeats the call. */
  line: string;
}

/** The operation that the person has named, or a new one. `changes` are options of the line that repeats it. */
export function operationOf(line: Line, args: Args, deps: CommandDeps, changes: Args = {}): Operation {
  const named = optionalText(args, 'operationId');
  const id = named ?? `${line.path.replace(' ', '-')}-${randomUUID()}`;
  return { id, isNew: named === undefined, line: lineOf(line, { ...args, ...changes, operationId: id }, deps) };
}

/** HTTP: below it are the responses of calls that had their effect. */
const FIRST_REFUSAL = 400;

/** Whether the call may have had its effect, although it failed. */
function mayHaveHappened(error: unknown): boolean {
  return !(error instanceof EdgeError) || error.retryable || error.status < FIRST_REFUSAL;
}

/**
 * Makes the call that has the effect. It ends early when the program is asked to stop, and is then left alone.
 *
 * @throws BrokenOffError when it is not known whether the call had its effect
 */
export async function callOnce<T>(deps: CommandDeps, operation: Operation, call: () => Promise<T>): Promise<T> {
  if (operation.isNew) deps.warn(`operation id ${operation.id}`);
  const called = call();
  called.catch(() => undefined);
  const stopped = deps.stopSignal().then((): never => {
    throw new BrokenOffError(new Error('stopped before the edge has answered'), operation.line);
  });
  try {
    return await Promise.race([called, stopped]);
  } catch (error) {
    if (error instanceof BrokenOffError || !mayHaveHappened(error)) throw error;
    throw new BrokenOffError(error, operation.line);
  }
}

/** Looks that go on while the edge cannot be reached: it is said once each time. Null: it cannot be reached now. */
export function patientLook(deps: CommandDeps, end: string): <T>(look: () => Promise<T>) => Promise<T | null> {
  let isAway = false;
  return async (look) => {
    try {
      const seen = await look();
      isAway = false;
      return seen;
    } catch (error) {
      if (!(error instanceof EdgeError) || !error.retryable) throw error;
      if (!isAway) deps.warn(`${error.message}; trying again until ${end}`);
      isAway = true;
      return null;
    }
  };
}

/**
 * What can be typed at a place of a command line, read from the tree of commands itself. Pure: what only the edge knows,
 * the ids of objects, is named for the caller to look up.
 */
import type { Argument, Command, Option } from 'commander';
import { DECIDING, OBJECTS, OPTION_OBJECTS } from './objects.ts';

export interface Candidate {
  value: string;
  about: string;
}

export interface Completions {
  candidates: Candidate[];
  /** The kind of object whose ids can be typed here, as `OBJECTS` names it. */
  object: string | null;
  /** Only the ids of objects with this status. */
  status: string | null;
  /** Names of files can be typed here. */
  files: boolean;
}

const NOTHING: Completions = { candidates: [], object: null, status: null, files: false };
/** How the value of an option for a file or a folder is called. */
const FILE_VALUE = /<(?:path|file|folder)>/;
/** Settings whose value is a folder. */
const FOLDER_OPTION = /^--(?:root|[a-z]+-dir)$/;

function takesValue(option: Option | undefined): boolean {
  return option !== undefined && (option.required || option.optional);
}

function findOption(command: Command, word: string): Option | undefined {
  return command.options.find(({ long, short }) => long === word || short === word);
}

function valuesOf(option: Option): Completions {
  const choices = option.argChoices ?? [];
  if (choices.length > 0) return { ...NOTHING, candidates: choices.map((value) => ({ value, about: '' })) };
  const object = OPTION_OBJECTS[option.long ?? ''] ?? null;
  return { ...NOTHING, object, files: FILE_VALUE.test(option.flags) || FOLDER_OPTION.test(option.long ?? '') };
}

function argumentsAt(registered: readonly Argument[], place: number): Completions {
  const argument = registered[place] ?? registered.findLast(({ variadic }) => variadic);
  if (argument === undefined) return NOTHING;
  const choices = argument.argChoices ?? [];
  if (choices.length > 0) return { ...NOTHING, candidates: choices.map((value) => ({ value, about: '' })) };
  const name = argument.name();
  return { ...NOTHING, object: Object.hasOwn(OBJECTS, name) ? name : null, files: name === 'file' };
}

interface Place {
  command: Command;
  /** How many arguments have been typed. */
  typed: number;
  /** The option whose value comes next. */
  option: Option | null;
  used: ReadonlySet<string>;
}

/** The place in the command tree after these words. */
function placeBehind(program: Command, words: readonly string[]): Place {
  let command = program;
  let typed = 0;
  let option: Option | null = null;
  const used = new Set<string>();
  for (const word of words) {
    // bash gives the sign between an option and its value as a word of its own.
    if (option !== null && word === '=') continue;
    if (option !== null) {
      option = null;
      continue;
    }
    if (word.startsWith('-')) {
      const found = findOption(command, word);
      used.add(word);
      option = found !== undefined && takesValue(found) ? found : null;
      continue;
    }
    const next = command.commands.find((one) => one.name() === word);
    if (typed === 0 && next !== undefined) command = next;
    else typed += 1;
  }
  return { command, typed, option, used };
}

/** The completions of the last of `words`, which are those behind the program's name. */
export function completionsAt(program: Command, words: readonly string[]): Completions {
  const last = words.at(-1) ?? '';
  const { command, typed, option, used } = placeBehind(program, words.slice(0, -1));
  const current = last === '=' ? '' : last;
  const startingWith = (found: Completions, start: string, before = ''): Completions => ({
    ...found,
    candidates: found.candidates
      .filter(({ value }) => value.startsWith(start))
      .map(({ value, about }) => ({ value: `${before}${value}`, about })),
  });
  if (option !== null) return startingWith(valuesOf(option), current);
  const [name = '', value] = current.split('=', 2);
  const named = value === undefined ? undefined : findOption(command, name);
  if (named !== undefined)
    return { ...startingWith(valuesOf(named), value ?? '', `${name}=`), object: null, status: null, files: false };
  const help = command.createHelp();
  if (current.startsWith('-')) {
    const options = help.visibleOptions(command).flatMap(({ long, description }) => {
      return long === undefined || used.has(long) ? [] : [{ value: long, about: description }];
    });
    return startingWith({ ...NOTHING, candidates: options }, current);
  }
  const commands = typed > 0 ? [] : help.visibleCommands(command);
  const candidates = commands.map((one) => ({ value: one.name(), about: one.description() }));
  const found = argumentsAt(command.registeredArguments, typed);
  if (found.object === 'instruction' && DECIDING.has(`${command.parent?.name()} ${command.name()}`))
    found.status = 'awaiting_approval';
  return startingWith({ ...found, candidates: [...candidates, ...found.candidates] }, current);
}

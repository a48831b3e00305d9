/** A command as a value: its name, what it takes, and what it does. */
import type { Command } from 'commander';
import { Argument, Option } from 'commander';
import type { ResolvedConfig } from '../config/resolve.ts';
import { resolveConfig } from '../config/resolve.ts';
import type { CommandDeps } from './deps.ts';

/** Values by attribute name: `clientId` for `--client-id <id>`, `conversation` for `<conversation>`. */
export type Args = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export interface CliCommand {
  name: string;
  about: string;
  argument?: Argument;
  /** Arguments behind it. */
  further?: readonly Argument[];
  options: readonly Option[];
  /** It needs no edge, so the id that it takes has to be whole. */
  isLocal?: true;
  /** Command lines without the program's name, as `tasks show TASK`; its help shows them. */
  examples?: readonly string[];
  /** Resolves with the exit code: one of `EXIT`, or that of a program which the command runs. */
  run: (args: Args, deps: CommandDeps) => Promise<number>;
}

export const jsonOption = new Option('--json', 'print JSON, on one line when it is piped');

/** The required argument that names an object, and the form of its ids. */
export function idArgument(name: string, form: string): Argument {
  return new Argument(`<${name}>`, `its id (${form})`);
}

/** The required argument that names a node or a browser: their ids are names. */
export function namedArgument(name: 'node' | 'browser'): Argument {
  return new Argument(`<${name}>`, `its id, as ${name}s list shows it`);
}

/** Runs a command that was parsed. */
export type Execute = (command: CliCommand, args: Args) => Promise<void>;

/** Adds the command to a program or a group, and returns what was added. */
export function addCommand(parent: Command, value: CliCommand, execute: Execute): Command {
  const { name, about, argument, further = [], options } = value;
  const command = parent.command(name).description(about);
  const all = argument ? [argument, ...further] : further;
  for (const one of all) command.addArgument(one);
  for (const option of options) command.addOption(option);
  return command.action(async () => {
    const given = all.map((one, at) => [one.name(), command.processedArgs[at]] as const);
    const args: Args = { ...command.opts<Args>(), ...Object.fromEntries(given) };
    await execute(value, args);
  });
}

/**
 * The configuration from a command's options, the environment and the files. Only the options in `settings` count as
 * settings: a command may have another option of the same name. Without a root it means the running system of this
 * machine, unless the command starts one.
 *
 * @throws ConfigError
 */
export function configOf(
  args: Args,
  deps: CommandDeps,
  settings: readonly Option[],
  { starts = false }: { starts?: boolean } = {},
): ResolvedConfig {
  const flags = Object.fromEntries(settings.map((option) => [option.attributeName(), args[option.attributeName()]]));
  return resolveConfig({ flags, env: deps.env, readFile: deps.readFile, isAlive: deps.isAlive, findsRunning: !starts });
}

/** The value of an option, undefined when it is missing or empty. */
export function optionalText(args: Args, name: string): string | undefined {
  const value = args[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A command: what it is called and takes, and what it does. Exit codes are the same for all of them. */
import { parseArgs } from 'node:util';
import type { ArgsDef, CommandDef } from 'citty';
import { defineCommand } from 'citty';
import type { ResolvedConfig } from '../config/resolve.ts';
import { ConfigError, resolveConfig } from '../config/resolve.ts';
import { EdgeError } from '../edge/http-client.ts';
import type { CommandDeps } from './deps.ts';

export const EXIT = { fine: 0, failed: 1, usage: 2, unreachable: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Called wrongly: the message says how. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Arguments by their name, as they were given. */
export type Args = Readonly<Record<string, string | boolean | undefined>>;

export interface Verb {
  name: string;
  about: string;
  args: ArgsDef;
  run: (args: Args, deps: CommandDeps) => Promise<ExitCode>;
}

export const jsonArg: ArgsDef = { json: { type: 'boolean', description: 'JSON for programs' } };

/** Parses strictly: an unknown flag, a missing value, a word too many are told by name. */
export function parseVerbArgs(rawArgs: readonly string[], def: ArgsDef): Args {
  const entries = Object.entries(def);
  const positional = entries.filter(([, arg]) => arg.type === 'positional');
  const options = Object.fromEntries(
    entries
      .filter(([, arg]) => arg.type !== 'positional')
      .map(([name, arg]) => [name, { type: arg.type === 'boolean' ? ('boolean' as const) : ('string' as const) }]),
  );
  let parsed: { values: Record<string, string | boolean | undefined>; positionals: string[] };
  try {
    parsed = parseArgs({ args: [...rawArgs], options, allowNegative: true, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(
      error instanceof Error ? error.message.replace(/\. To specify a positional.*$/, '') : String(error),
    );
  }
  const { positionals } = parsed;
  const extra = positionals[positional.length];
  if (extra !== undefined) throw new UsageError(`unexpected argument '${extra}'`);
  const named = positional.map(([name, arg], index) => {
    const value = positionals[index];
    if (value === undefined && arg.required !== false) throw new UsageError(`missing argument <${name}>`);
    return [name, value] as const;
  });
  return { ...parsed.values, ...Object.fromEntries(named) };
}

/** What a failure means for whoever called the command. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError || error instanceof ConfigError) return EXIT.usage;
  if (error instanceof EdgeError && error.kind === 'network') return EXIT.unreachable;
  return EXIT.failed;
}

/** How a failure is told. */
export function describeFailure(error: unknown): string {
  if (error instanceof EdgeError && error.kind === 'status') return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

/** The verb as its help shows it. */
export function describeVerb({ name, about, args }: Verb): CommandDef {
  return defineCommand({ meta: { name, description: about }, args });
}

/** The verb for citty to run; `done` receives its exit code. */
export function toCommand(verb: Verb, deps: CommandDeps, done: (code: ExitCode) => void): CommandDef {
  return defineCommand({
    meta: { name: verb.name, description: verb.about },
    // Flags are checked strictly here; citty's own, lenient parsing must not complain first.
    args: Object.fromEntries(
      Object.entries(verb.args).map(([name, arg]) => [
        name,
        arg.type === 'positional' ? { ...arg, required: false } : arg,
      ]),
    ),
    run: async ({ rawArgs }) => done(await verb.run(parseVerbArgs(rawArgs, verb.args), deps)),
  });
}

/**
 * The configuration that a command's flags, its environment and the files make. Only the flags in `settings` are
 * settings: a command may have one of its own that is called the same.
 *
 * @throws ConfigError
 */
export function configOf(args: Args, deps: CommandDeps, settings: ArgsDef): ResolvedConfig {
  const flags = Object.fromEntries(Object.entries(args).filter(([name]) => name in settings));
  return resolveConfig({ flags, env: deps.env, readFile: deps.readFile });
}

/** An argument that has to be there as text. */
export function text(args: Args, name: string): string {
  const value = args[name];
  if (typeof value !== 'string' || value === '') throw new UsageError(`missing --${name}`);
  return value;
}

/** An argument that may be missing. */
export function optionalText(args: Args, name: string): string | undefined {
  const value = args[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** What is true of every command of the program. */
import type { Option } from 'commander';
import { describe, expect, it } from 'vitest';
import type { Args, CliCommand } from '../../../../local-agent/commands/command.ts';
import { helpGroupOf, OTHER_COMMANDS } from '../../../../local-agent/commands/help.ts';
import { createProgram, everyCommand, runCli } from '../../../../local-agent/commands/main.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const ALL = everyCommand();
/** What they print is no data of the system: a protocol, the bytes of a log, a script for a shell. */
const WITHOUT_JSON = ['mcp', 'tasks logs', 'completion', 'service logs'];
/** They need no system. */
const WITHOUT_ROOT = ['completion'];

/** The words of a shell line without anything special but quotes. */
function shellWords(line: string): string[] {
  return Array.from(
    line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g),
    ([, single, double, plain]) => single ?? double ?? plain ?? '',
  );
}

/** Parses a command line with the real parser, without running the command. */
async function parse(argv: readonly string[]): Promise<{ command: CliCommand; args: Args }[]> {
  const parsed: { command: CliCommand; args: Args }[] = [];
  const program = createProgram(commandWorld(() => ({})).deps, async (command, args) => {
    parsed.push({ command, args });
  });
  await program.parseAsync(argv, { from: 'user' });
  return parsed;
}

function flagsOf({ options }: CliCommand): (string | undefined)[] {
  return options.map(({ long }) => long);
}

describe.each(ALL)('the command $path', ({ path, command }) => {
  it('it says in a line what it does', () => {
    expect(command.about).toMatch(/^\p{L}.*[^.\s]$/u);
  });

  it('its examples parse, and are calls of itself', async () => {
    expect(command.examples ?? []).not.toEqual([]);
    for (const example of command.examples ?? []) {
      const [only, ...others] = await parse(shellWords(example));
      expect([only?.command, others], example).toEqual([command, []]);
    }
  });

  it('it takes --root and --json where they have a meaning', () => {
    const flags = flagsOf(command);
    if (!WITHOUT_ROOT.includes(path)) expect(flags).toContain('--root');
    if (!WITHOUT_JSON.includes(path)) expect(flags).toContain('--json');
  });

  it('each of its options has a description, and no two have the same name', () => {
    const names = command.options.map((option) => option.long);
    expect(new Set(names).size).toBe(names.length);
    expect(command.options.filter(({ description }) => description === '')).toEqual([]);
  });

  it('a misspelt option is refused with 2, and the right one is suggested', async () => {
    const known = flagsOf(command).includes('--root') ? '--root' : '--help';
    const world = commandWorld(() => ({}));
    const [example = path] = command.examples ?? [];
    expect(await runCli([...shellWords(example), `${known}x`], world.deps)).toBe(2);
    expect(world.stderr()).toMatch(`unknown option '${known}x'`);
    expect(world.stderr()).toMatch(`Did you mean ${known}?`);
    expect(world.calls).toEqual([]);
  });

  it('its help shows its examples', async () => {
    const world = commandWorld(() => ({}));
    expect(await runCli([...path.split(' '), '--help'], world.deps)).toBe(0);
    for (const example of command.examples ?? []) expect(world.stdout()).toContain(`  conductor ${example}`);
  });
});

/** Options that mean the same in every command that has them. */
const SHARED = [
  '--json',
  '--root',
  '--node-id',
  '--control-api-base',
  '--local-api',
  '--state-dir',
  '--limit',
  '--cursor',
  '--reason',
];

describe('options that several commands have', () => {
  it.each(SHARED)('%s has one form and one default everywhere', (long) => {
    const all = ALL.flatMap(({ command }) => command.options.filter((option) => option.long === long));
    const forms = all.map(({ flags, required, defaultValue }: Option) => ({ flags, required, defaultValue }));
    expect(all.length).toBeGreaterThan(1);
    expect(new Set(forms.map((form) => JSON.stringify(form))).size).toBe(1);
  });
});

describe('the help of the program', () => {
  it('every command has a place in it by what it is for', () => {
    const top = new Set(ALL.map(({ path }) => path.split(' ')[0] ?? ''));
    expect([...top].filter((name) => helpGroupOf(name) === OTHER_COMMANDS)).toEqual([]);
  });

  it('it names the environment variables and the exit codes', async () => {
    const world = commandWorld(() => ({}));
    expect(await runCli(['--help'], world.deps)).toBe(0);
    expect(world.stdout()).toMatch(/^ {2}BAA_ROOT +folder for everything this node keeps$/m);
    expect(world.stdout()).toMatch(/^ {2}3 +the edge or the agent cannot be reached$/m);
    expect(world.stdout()).not.toMatch(/^Commands:$/m);
  });

  it('a group shows its commands, and a misspelt one is corrected', async () => {
    const help = commandWorld(() => ({}));
    expect(await runCli(['help', 'browsers'], help.deps)).toBe(0);
    expect(help.stdout()).toMatch(/^ {2}resume \[options\] <browser>/m);
    const typo = commandWorld(() => ({}));
    expect(await runCli(['browsers', 'resmue'], typo.deps)).toBe(2);
    expect(typo.stderr()).toMatch('Did you mean resume?');
  });
});

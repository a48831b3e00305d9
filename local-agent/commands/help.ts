/** What the help says besides the options of a command: where each command belongs, examples, variables, exit codes. */
import type { Command } from 'commander';
import { SETTINGS } from '../config/settings.ts';
import { programName } from '../lib/printed-command.ts';
import type { CommandDeps } from './deps.ts';
import { styled } from './output.ts';

/** The commands by what people want to do, in the order of the help. */
const COMMAND_GROUPS: readonly (readonly [title: string, commands: readonly string[]])[] = [
  ['Set up a host:', ['init', 'start', 'service', 'config', 'checklist', 'doctor', 'completion', 'uninstall']],
  ['See what happens:', ['status', 'open', 'search', 'logs', 'events', 'notices', 'diagnostics']],
  ['Steer the whole system:', ['pause', 'resume', 'drain']],
  ['Chats:', ['conversations', 'messages', 'instructions', 'grants', 'jobs', 'ask']],
  ['Work on hosts:', ['run', 'tasks', 'runs', 'steps', 'undo']],
  ['Browsers:', ['pair', 'browsers', 'firefox']],
  ['Nodes and access:', ['nodes', 'leader', 'tokens', 'mcp']],
  ['Records:', ['journal', 'audit', 'ticks']],
  ['Copies and recovery:', ['backup', 'restore', 'restore-check']],
];
export const OTHER_COMMANDS = 'Other:';
const ORDER = COMMAND_GROUPS.flatMap(([, commands]) => commands);

/** The title under which the help lists the command. */
export function helpGroupOf(name: string): string {
  return COMMAND_GROUPS.find(([, commands]) => commands.includes(name))?.[0] ?? OTHER_COMMANDS;
}

/** Sorts commands into the order of the help. */
export function byHelpOrder(a: string, b: string): number {
  const place = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return place(a) - place(b);
}

/** Rows of names and what they mean, under a title. */
function section(deps: CommandDeps, title: string, rows: readonly (readonly [name: string, about: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return [styled(deps, 'bold', title), ...rows.map(([name, about]) => `  ${name.padEnd(width)}  ${about}`)].join('\n');
}

/** The variables that matter for most commands. */
const VARIABLES = (['root', 'controlApiBase', 'localApi', 'operatorToken', 'sharedToken'] as const).map((key) => {
  const { env, about } = SETTINGS[key];
  return [env, about] as const;
});

const EXIT_CODES = [
  ['0', 'it worked'],
  ['1', 'it failed, or what it asked for was refused'],
  ['2', 'it was called wrongly; the message says how to call it'],
  ['3', 'the edge or the agent cannot be reached'],
] as const;

/** The end of the program's own help. */
export function programFooter(deps: CommandDeps): string {
  const name = programName(deps.env);
  const variables = [...VARIABLES, ['NO_COLOR', 'without colours']] as const;
  return [
    '',
    section(deps, 'Environment variables:', variables),
    `  Every option that is a setting has one: ${name} config`,
    '',
    section(deps, 'Exit codes:', EXIT_CODES),
    '',
    `${name} <command> --help shows the options and examples of one command.`,
  ].join('\n');
}

/** Adds the examples to the help of the command, and the variables to its settings. */
export function addExamples(command: Command, examples: readonly string[], deps: CommandDeps): void {
  if (examples.length === 0) return;
  const lines = examples.map((line) => `  ${programName(deps.env)} ${line}`);
  command.addHelpText('after', ['', styled(deps, 'bold', 'Examples:'), ...lines].join('\n'));
}

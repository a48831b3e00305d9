/** The command line: parses it, runs one command, and turns every failure into a message and an exit code. */
import { Command, CommanderError } from 'commander';
import { visibleJson } from '../../schema/domain/visible.ts';
import { programName } from '../lib/printed-command.ts';
import { ask } from './ask.ts';
import { audit } from './audit.ts';
import { backup, restore } from './backup.ts';
import { browsers } from './browsers.ts';
import { checklist } from './checklist.ts';
import type { Args, CliCommand, Execute } from './command.ts';
import { addCommand } from './command.ts';
import { addComplete, completion } from './completion.ts';
import { config } from './config.ts';
import { conversations } from './conversations.ts';
import type { CommandDeps } from './deps.ts';
import { defaultDeps } from './deps.ts';
import { diagnostics } from './diagnostics.ts';
import { doctor } from './doctor.ts';
import { events } from './events.ts';
import type { ExitCode } from './exit-codes.ts';
import { describeFailure, EXIT, exitCodeOf, failureJson, UnknownSystemError } from './exit-codes.ts';
import { firefox } from './firefox.ts';
import { grants } from './grants.ts';
import { addExamples, byHelpOrder, helpGroupOf, OTHER_COMMANDS, programFooter } from './help.ts';
import { init } from './init.ts';
import { instructions } from './instructions.ts';
import { jobs } from './jobs.ts';
import { journal } from './journal.ts';
import { leader } from './leader.ts';
import { logs } from './logs.ts';
import { mcp } from './mcp.ts';
import { messages } from './messages.ts';
import type { Connection } from './next-step.ts';
import { nextStep } from './next-step.ts';
import { nodes } from './nodes.ts';
import { notices } from './notices.ts';
import { open } from './open.ts';
import { styled, withSafeOutput } from './output.ts';
import { pair } from './pair.ts';
import { restoreCheck } from './restore-check.ts';
import { run } from './run.ts';
import { runs, steps } from './runs.ts';
import { search } from './search.ts';
import { service } from './service.ts';
import { withWholeId } from './short-ids.ts';
import { start } from './start.ts';
import { status } from './status.ts';
import { withNearSuggestions } from './suggestions.ts';
import { drain, pause, resume } from './system.ts';
import { tasks } from './tasks.ts';
import { ticks } from './ticks.ts';
import { tokens } from './tokens.ts';
import { undo } from './undo.ts';
import { uninstall } from './uninstall.ts';

const COMMANDS: readonly CliCommand[] = [
  start,
  init,
  config,
  checklist,
  doctor,
  diagnostics,
  status,
  open,
  pause,
  resume,
  drain,
  pair,
  firefox,
  run,
  undo,
  mcp,
  restoreCheck,
  backup,
  restore,
  uninstall,
  ask,
  search,
  completion,
  logs,
  events,
];
const GROUPS: Readonly<Record<string, { about: string; commands: readonly CliCommand[] }>> = {
  audit: { about: 'who changed what, and when', commands: audit },
  browsers: { about: 'the browsers of this system: look, resume a stopped one, move one', commands: browsers },
  conversations: { about: 'conversations: look, limits, whether they are renewed, forget', commands: conversations },
  grants: {
    about: 'what runs without asking for a while, in one conversation: create, list, revoke',
    commands: grants,
  },
  instructions: { about: 'instructions of the chats: look, approve, deny, cancel, resolve', commands: instructions },
  jobs: { about: 'renewal jobs: look, retry, cancel', commands: jobs },
  journal: { about: 'the journal of all instructions of a node: verify, export', commands: journal },
  leader: { about: 'which node leads, and which did before', commands: leader },
  messages: { about: 'the messages of the chats, and what became of their instructions', commands: messages },
  nodes: { about: 'the machines of this system: look, add one, drain one', commands: nodes },
  notices: { about: 'notices to people about what waits for one of them: look, set, test', commands: notices },
  runs: { about: 'attempts at the steps of tasks: look', commands: runs },
  service: {
    about: 'this system as a service of the machine: install, status, start, stop, restart, logs, print, uninstall',
    commands: service,
  },
  steps: { about: 'steps of tasks that wait for a person: decide', commands: steps },
  tasks: { about: 'work for hosts: create, look, follow, cancel, retry, hand over', commands: tasks },
  ticks: { about: 'the runs of the timed jobs: look, run one now', commands: ticks },
  tokens: { about: 'tokens for the edge: create, list, rotate, revoke', commands: tokens },
};

const NAME = 'conductor';
const HELP_OPTIONS: ReadonlySet<string> = new Set(['--help', '-h']);
const PROGRAM_OPTIONS: ReadonlySet<string> = new Set([...HELP_OPTIONS, '--version']);
/** What a group that is named alone does: the first of these that it has and that takes no argument. */
const DEFAULT_VERBS = ['list', 'show', 'status'];

/** Every command by its path, as `tasks show`. */
export function everyCommand(): readonly { path: string; command: CliCommand }[] {
  const grouped = Object.entries(GROUPS).flatMap(([group, { commands }]) =>
    commands.map((command) => ({ path: `${group} ${command.name}`, command })),
  );
  return [...COMMANDS.map((command) => ({ path: command.name, command })), ...grouped];
}

function defaultVerb(group: string): string | undefined {
  const commands = Object.hasOwn(GROUPS, group) ? (GROUPS[group]?.commands ?? []) : [];
  return DEFAULT_VERBS.find((verb) => commands.some(({ name, argument }) => name === verb && argument === undefined));
}

/** The words, with the command that they leave out: `start`, or the default verb of a group. */
function withLeftOut(argv: readonly string[]): readonly string[] {
  const [first = '-', second = '-'] = argv;
  if (first.startsWith('-') && !PROGRAM_OPTIONS.has(first)) return [start.name, ...argv];
  const verb = defaultVerb(first);
  const isAlone = second.startsWith('-') && !HELP_OPTIONS.has(second);
  return verb !== undefined && isAlone ? [first, verb, ...argv.slice(1)] : argv;
}

/** The parser of the command line. It gives each command that it has parsed to `execute`. */
export function createProgram(deps: CommandDeps, execute: Execute): Command {
  const program = new Command(NAME)
    .description(
      'Automation across hosts and browsers. Without a command it runs start, and on a terminal it shows this help.',
    )
    .version(deps.version, '--version', 'print the version')
    .enablePositionalOptions()
    .exitOverride()
    .configureHelp({ styleTitle: (title) => styled(deps, 'bold', title) })
    .configureOutput({
      writeOut: (text) => deps.print(text.trimEnd()),
      writeErr: (text) => deps.warn(text.trimEnd()),
      outputError: (text, write) => write(withNearSuggestions(text).replace(/^error/, NAME)),
    })
    .addHelpText('after', programFooter(deps));
  const add = (parent: Command, command: CliCommand) => {
    const added = addCommand(parent, command, execute);
    addExamples(added, command.examples ?? [], deps);
    return added;
  };
  const names = [...COMMANDS.map(({ name }) => name), ...Object.keys(GROUPS)].sort(byHelpOrder);
  for (const name of names) {
    const command = COMMANDS.find((one) => one.name === name);
    const group = GROUPS[name];
    if (command !== undefined) add(program, command).helpGroup(helpGroupOf(name));
    else if (group !== undefined) {
      const parent = program.command(name).description(group.about).helpGroup(helpGroupOf(name));
      const verb = defaultVerb(name);
      if (verb !== undefined) parent.addHelpText('after', `\n${NAME} ${name} is short for ${NAME} ${name} ${verb}.`);
      for (const one of group.commands) add(parent, one);
    }
  }
  addComplete(program, deps);
  return program.commandsGroup(OTHER_COMMANDS).helpCommand('help [command]', 'show the help of a command');
}

/** Runs one command line (without the program's name) and resolves with its exit code. Never rejects. */
export async function runCli(argv: readonly string[], given: CommandDeps = defaultDeps): Promise<number> {
  let called = null as { args: Args; connection: Connection | null } | null;
  const connect: CommandDeps['connect'] = (base, token) => {
    if (called !== null) called.connection = { base, token };
    return given.connect(base, token);
  };
  const deps = withSafeOutput({ ...given, connect });
  // A person who types the name alone wants to know what there is; a service manager starts the agent.
  if (argv.length === 0 && deps.isTerminal) return runCli(['--help'], given);
  let code: number = EXIT.fine;
  const program = createProgram(deps, async (command, args) => {
    called = { args, connection: null };
    code = await command.run(await withWholeId(command, args, deps), deps);
  });
  const words = withLeftOut(argv);
  try {
    await program.parseAsync(words, { from: 'user' });
    return code;
  } catch (error) {
    const next = called === null ? null : nextStep(error, called.args, deps, called.connection);
    // The parser refuses before it has read all options.
    const asJson = called === null ? words.includes('--json') : called.args.json === true;
    return reportFailure(error, deps, { next, help: helpLine(program, words, deps), asJson });
  }
}

/** Where the help of the command is that these words name. */
function helpLine(program: Command, words: readonly string[], deps: CommandDeps): string {
  const path = [programName(deps.env)];
  let command: Command = program;
  for (const word of words) {
    const found = command.commands.find((one) => one.name() === word);
    if (found === undefined) break;
    command = found;
    path.push(word);
  }
  return `${path.join(' ')} --help lists ${command.commands.length > 0 ? 'the commands' : 'its options'}`;
}

interface Advice {
  /** What to do next, when that is known. */
  next: string | null;
  help: string;
  asJson: boolean;
}

function reportFailure(error: unknown, deps: CommandDeps, { next, help, asJson }: Advice): ExitCode {
  // By the time commander throws it has printed the help, the version or the error.
  const isPrinted = error instanceof CommanderError;
  if (isPrinted && error.exitCode === 0) return EXIT.fine;
  if (!isPrinted) deps.warn(`${NAME}: ${describeFailure(error)}`);
  if (next !== null) deps.warn(next);
  const exitCode = isPrinted ? EXIT.usage : exitCodeOf(error);
  if (asJson) {
    const message = isPrinted ? withNearSuggestions(error.message).replace(/^error: /, '') : describeFailure(error);
    deps.print(visibleJson(failureJson(error, message, exitCode), deps.isTerminal ? 2 : 0));
  }
  if (exitCode === EXIT.usage && !(error instanceof UnknownSystemError)) deps.warn(help);
  return exitCode;
}

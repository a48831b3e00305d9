/** The command line: finds the verb, runs it, and turns every failure into a line and an exit code. */
import type { CommandDef } from 'citty';
import { defineCommand, renderUsage, runCommand } from 'citty';
import { checklist } from './checklist.ts';
import { config } from './config.ts';
import { conversations } from './conversations.ts';
import type { CommandDeps } from './deps.ts';
import { defaultDeps } from './deps.ts';
import { instructions } from './instructions.ts';
import { jobs } from './jobs.ts';
import { journal } from './journal.ts';
import { plain } from './output.ts';
import { pair } from './pair.ts';
import { restoreCheck } from './restore-check.ts';
import { start } from './start.ts';
import { status } from './status.ts';
import { drain, pause, resume } from './system.ts';
import { tokens } from './tokens.ts';
import { undo } from './undo.ts';
import type { ExitCode, Verb } from './verb.ts';
import { describeFailure, describeVerb, EXIT, exitCodeOf, toCommand } from './verb.ts';

const VERBS: readonly Verb[] = [start, config, checklist, status, pause, resume, drain, pair, undo, restoreCheck];
const GROUPS: Readonly<Record<string, { about: string; verbs: readonly Verb[] }>> = {
  conversations: { about: 'chats and whether they carry on by themselves', verbs: conversations },
  instructions: { about: 'what chats asked for and what came of it', verbs: instructions },
  jobs: { about: 'renewals', verbs: jobs },
  journal: { about: 'the story of what was asked for, link by link', verbs: journal },
  tokens: { about: 'who may talk to the edge', verbs: tokens },
};

type Commands = Record<string, CommandDef>;
const PROGRAM = 'conductor';

function commandTree(commandOf: (verb: Verb) => CommandDef): CommandDef {
  const commandsOf = (verbs: readonly Verb[]): Commands =>
    Object.fromEntries(verbs.map((verb) => [verb.name, commandOf(verb)]));
  const groups: Commands = Object.fromEntries(
    Object.entries(GROUPS).map(([name, { about, verbs }]) => [
      name,
      defineCommand({ meta: { name, description: about }, subCommands: commandsOf(verbs) }),
    ]),
  );
  return defineCommand({
    meta: { name: PROGRAM, description: 'automation across hosts and browsers' },
    subCommands: { ...commandsOf(VERBS), ...groups },
  });
}

/** Help for the command that the words name, as far as they name one. */
function usageOf(words: readonly string[]): Promise<string> {
  let command = commandTree(describeVerb);
  const path: string[] = [];
  let parent: CommandDef | undefined;
  for (const word of words) {
    const next = (command.subCommands as Commands | undefined)?.[word];
    if (next === undefined) break;
    parent = defineCommand({ meta: { name: [PROGRAM, ...path].join(' ') } });
    path.push(word);
    command = next;
  }
  return renderUsage(command, parent);
}

const HELP: ReadonlySet<string> = new Set(['--help', '-h']);
/** citty's complaints (an unknown command, none at all) have a class that it does not export. */
const CITTY_ERROR = 'CLIError';

/** Runs one command line (without the program's name) and gives its exit code. Never throws. */
export async function runCli(argv: readonly string[], deps: CommandDeps = defaultDeps): Promise<ExitCode> {
  let code: ExitCode = EXIT.fine;
  const done = (outcome: ExitCode): void => {
    code = outcome;
  };
  try {
    if (argv[0] === 'help' || argv.some((word) => HELP.has(word))) {
      const words = argv.filter((word, index) => !HELP.has(word) && !(index === 0 && word === 'help'));
      deps.print(plain(deps, await usageOf(words)));
      return EXIT.fine;
    }
    const isBare = argv.length === 0 || argv[0]?.startsWith('-') === true;
    const tree = commandTree((verb) => toCommand(verb, deps, done));
    await runCommand(tree, { rawArgs: isBare ? ['start', ...argv] : [...argv] });
    return code;
  } catch (error) {
    deps.warn(`conductor: ${plain(deps, describeFailure(error))}`);
    const isMisspelt = error instanceof Error && error.name === CITTY_ERROR;
    if (isMisspelt || exitCodeOf(error) === EXIT.usage) {
      deps.warn('conductor --help lists the commands, conductor <command> --help what each takes');
      return EXIT.usage;
    }
    return exitCodeOf(error);
  }
}

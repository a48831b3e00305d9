/**
 * `logs`: the logs of this host, from its files, so also while nothing runs. `tasks logs` shows the output of a task from any
 * host.
 */
import { join } from 'node:path';
import { Argument, Option } from 'commander';
import { RunIdSchema } from '../../schema/contracts/runs.ts';
import { connectionOptions } from '../config/flags.ts';
import { edgeStateOf } from '../config/root-files.ts';
import type { Config } from '../config/settings.ts';
import { dayFiles, findRunFolder, hungFiles, rolledFiles } from '../host/log-files.ts';
import { readLines } from '../host/read-lines.ts';
import { printedCommand } from '../lib/printed-command.ts';
import type { Args, CliCommand } from './command.ts';
import { configOf, optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import { readableLine } from './log-line.ts';
import { lineCount, linesOption } from './log-options.ts';
import { service } from './service.ts';

const NAMES = ['agent', 'edge', 'ticks', 'run', 'service', 'hung'] as const;
const LOOK_MS = 250;

type Files = () => readonly string[];

function runFiles(id: string | undefined, { runsDir }: Config, args: Args): Files {
  const parsed = RunIdSchema.safeParse(id);
  if (!parsed.success) throw new UsageError('logs run RUN_ID: the id of a run is missing or invalid (run_…)');
  const folder = findRunFolder(runsDir, parsed.data);
  if (folder === null) {
    throw new Error(
      `this host has no files of ${parsed.data} in ${runsDir}: it ran on another host, or was removed; "${printedCommand({}, `runs show ${parsed.data}`)}" names its host and task`,
    );
  }
  const stream = optionalText(args, 'stream') ?? 'lifecycle';
  const name = stream === 'lifecycle' ? 'events.jsonl' : `${stream}.log`;
  return () => [join(folder, name)];
}

function filesOf(args: Args, deps: CommandDeps): Files {
  const [name = 'agent', id, ...more] = Array.isArray(args.log) ? args.log.map(String) : [];
  if (!NAMES.some((one) => one === name) || more.length > 0 || (id !== undefined && name !== 'run'))
    throw new UsageError(`logs takes one of ${NAMES.join(', ')}; "run" takes the id of a run too`);
  const { config } = configOf(args, deps, connectionOptions);
  if (name === 'run') return runFiles(id, config, args);
  const { logsDir, root } = config;
  if (name === 'hung') return () => hungFiles([logsDir, edgeStateOf(root)]);
  return name === 'ticks' ? () => dayFiles(join(logsDir, 'timed-jobs')) : () => rolledFiles(logsDir, name);
}

async function printLog(args: Args, deps: CommandDeps): Promise<number> {
  const files = filesOf(args, deps);
  const follows = args.follow === true;
  if (files().length === 0 && !follows) {
    deps.warn('this log has no file yet');
    return EXIT.fine;
  }
  const wait = () => new Promise<boolean>((resolve) => void deps.clock.after(LOOK_MS, () => resolve(true)));
  const format = args.json === true ? (line: string) => line : (line: string) => readableLine(line, deps);
  for await (const line of readLines({ files, lines: lineCount(args), wait: follows ? wait : null })) {
    deps.print(format(line));
  }
  return EXIT.fine;
}

export const logs: CliCommand = {
  name: 'logs',
  about: 'show the logs of this host: agent, edge, ticks, one run, its service, or where a process hung',
  argument: new Argument('[log...]', 'agent (the default), edge, ticks, service, hung, or: run RUN_ID'),
  options: [
    new Option('-f, --follow', 'follow it, also when it rolls on into a new file'),
    linesOption,
    new Option('--json', 'print the lines as they are: one JSON object each'),
    new Option('--stream <name>', 'of a run: its events, or what it printed').choices([
      'lifecycle',
      'stdout',
      'stderr',
    ]),
    ...connectionOptions,
  ],
  examples: ['logs', 'logs edge --follow --lines 20', 'logs run RUN_ID --stream stdout'],
  run: async (args, deps) => {
    const ofService = service.find(({ name }) => name === 'logs');
    if (Array.isArray(args.log) && args.log[0] === 'service' && ofService) return ofService.run(args, deps);
    return printLog(args, deps);
  },
};

/** `diagnostics`: writes one file for a bug report, without secrets and without what was said in chats. */
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { StatusSchema } from '../../schema/contracts/status.ts';
import { connectionOptions, valueOption } from '../config/flags.ts';
import { readHostTables } from '../config/resolve.ts';
import {
  BOOTSTRAP_FILE,
  bootstrapPathOf,
  deployFolderOf,
  edgeStateOf,
  NEXT_BOOTSTRAP_FILE,
  NODE_TOKEN_FILE,
  OPERATOR_TOKEN_FILE,
  policyPathOf,
} from '../config/root-files.ts';
import { SETTING_ENTRIES, tomlKey } from '../config/settings.ts';
import { bundleText, CONTAINS, LEAVES_OUT } from '../doctor/bundle.ts';
import type { Hide } from '../doctor/hide.ts';
import { hiderOf } from '../doctor/hide.ts';
import { lastLines, lastLinesOf } from '../host/last-lines.ts';
import { dayFiles, hungFiles, serviceFiles } from '../host/log-files.ts';
import { homeFolder } from '../host/own-files.ts';
import { platformFacts } from '../host/platform.ts';
import { readTextFile } from '../host/text-file.ts';
import { redactor } from '../lib/redact.ts';
import { PolicyFile } from '../policy/policy-file.ts';
import { managerOf, serviceHost } from '../service/host.ts';
import { lastOfJournal } from '../service/systemd-journal.ts';
import type { Args, CliCommand } from './command.ts';
import { configOf, optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { examine } from './doctor.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import { EXIT } from './exit-codes.ts';
import { localSnapshot } from './local-snapshot.ts';
import { fileStamp, present, printProse } from './output.ts';

const LOG_LINES = 300;
const EDGE_MS = 5_000;

/** A part that fails is missing in the file: it is made when something is wrong. */
async function orNull<T>(part: () => T | Promise<T>): Promise<T | null> {
  try {
    return await part();
  } catch {
    return null;
  }
}

async function settingsOf(args: Args, deps: CommandDeps): Promise<Record<string, unknown>> {
  const resolved = await orNull(() => configOf(args, deps, connectionOptions));
  if (resolved === null) return { invalid: true };
  return Object.fromEntries(
    SETTING_ENTRIES.map(([key, { secret }]) => {
      const value = resolved.config[key];
      const shown = secret === true && value !== null ? 'set' : value;
      return [tomlKey(key), { value: shown, origin: resolved.origins[key] }];
    }),
  );
}

/** Everything secret that this root knows by its value, by what the policy names, and by its form. */
async function hiderFor(args: Args, deps: CommandDeps, root: string): Promise<Hide> {
  const resolved = await orNull(() => configOf(args, deps, connectionOptions));
  const tables = await orNull(() => readHostTables(root, deps.readFile));
  const agents = Object.values(tables?.agents ?? {});
  const files = agents.flatMap(({ env_file }) =>
    env_file === undefined ? [] : (readTextFile(env_file) ?? '').split('\n'),
  );
  const secrets = [
    ...(resolved === null ? [] : [resolved.config.sharedToken, resolved.config.operatorToken]),
    ...[OPERATOR_TOKEN_FILE, NODE_TOKEN_FILE].map((name) => readTextFile(join(root, 'state', name))),
    readTextFile(bootstrapPathOf(root)),
    ...[BOOTSTRAP_FILE, NEXT_BOOTSTRAP_FILE].map((name) => readTextFile(join(deployFolderOf(root), name))),
    ...agents.flatMap(({ env }) => Object.values(env)),
    ...files.map((line) => line.slice(line.indexOf('=') + 1)),
  ];
  const policy = new PolicyFile({ path: policyPathOf({ root }), onProblem: () => undefined }).current();
  const redact = redactor(policy, { env: deps.env, readFile: readTextFile });
  const hide = hiderOf({ env: deps.env, secrets, home: homeFolder() });
  return (text) => redact(hide(text));
}

/** What systemd knows of the service: only it says why a start failed. */
async function journalOf(deps: CommandDeps): Promise<string[]> {
  const host = serviceHost(deps.env);
  const manager = managerOf(host);
  if (manager?.name !== 'systemd') return ['no journal: services of this system are not those of systemd'];
  if (host.readFile(manager.file) === null) return ['no journal: no service is installed'];
  return lastOfJournal(host, LOG_LINES);
}

async function logsOf(logsDir: string, root: string, deps: CommandDeps): Promise<Record<string, string[]>> {
  const endOf = (files: readonly string[]) => lastLinesOf(files, LOG_LINES);
  return {
    agent: lastLines(logsDir, 'agent', LOG_LINES),
    edge: lastLines(logsDir, 'edge', LOG_LINES),
    ticks: endOf(dayFiles(join(logsDir, 'timed-jobs'))),
    service: endOf(serviceFiles(logsDir)),
    journal: (await orNull(() => journalOf(deps))) ?? ['no journal: it could not be read'],
    hung: endOf(hungFiles([logsDir, edgeStateOf(root)])),
  };
}

async function textOf(args: Args, deps: CommandDeps): Promise<string> {
  const doctor = await examine(args, deps, { fix: false });
  const { root } = doctor;
  const read = { method: 'GET', path: '/v1/status', timeoutMs: EDGE_MS, schema: StatusSchema } as const;
  const status = await orNull(() => withEdge(args, deps, (edge) => edge.call(read)));
  const agent = await localSnapshot(args, deps, z.record(z.string(), z.unknown()));
  const config = await orNull(() => configOf(args, deps, connectionOptions).config);
  const logsDir = config?.logsDir ?? join(root, 'logs');
  const sources = {
    madeAt: deps.clock.now(),
    version: deps.version,
    node: process.versions.node,
    platform: platformFacts(),
    settings: await settingsOf(args, deps),
    doctor,
    status,
    agent,
    logs: await logsOf(logsDir, root, deps),
  };
  return bundleText(sources, await hiderFor(args, deps, root));
}

function pathOf(args: Args, deps: CommandDeps): string {
  const byDefault = `conductor-diagnostics-${fileStamp(deps.clock.now())}.json`;
  return resolve(deps.env.INIT_CWD ?? '.', optionalText(args, 'output') ?? byDefault);
}

export const diagnostics: CliCommand = {
  name: 'diagnostics',
  about: 'write one file for a bug report, without secrets and without what was said in chats',
  options: [
    ...edgeOptions,
    valueOption('--output <file>', 'a new file (default: conductor-diagnostics-TIME.json here)'),
  ],
  examples: ['diagnostics', 'diagnostics --output report.json'],
  run: async (args, deps) => {
    const path = pathOf(args, deps);
    const text = await textOf(args, deps);
    deps.writeNewFile(path, text);
    const result = { path, bytes: Buffer.byteLength(text), contains: CONTAINS, leaves_out: LEAVES_OUT };
    present(args, deps, result, () => {
      printProse(deps, `${path} is written, readable by you only. Read it before you send it.`);
      printProse(deps, `It contains: ${CONTAINS.join('; ')}.`);
      printProse(deps, `It leaves out: ${LEAVES_OUT.join('; ')}.`);
    });
    return EXIT.fine;
  },
};

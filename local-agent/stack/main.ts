/** `npm start`: runs the whole system on this machine until Ctrl-C. */
import { join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { z } from 'zod';
import { describeFailure, EXIT } from '../commands/exit-codes.ts';
import { edgeSettingOptions, valueOption } from '../config/flags.ts';
import { rememberRoot } from '../config/known-roots.ts';
import { ConfigError } from '../config/resolve.ts';
import { defaultRoot, workspaceOf } from '../config/root-files.ts';
import { SETTINGS } from '../config/settings.ts';
import { USUAL_PORTS } from '../config/system-kind.ts';
import { keepOutputSmall, SERVICE_LOG } from '../host/own-output.ts';
import { returnMemoryOfStart } from '../host/return-memory.ts';
import { adoptOldState } from './edge-storage.ts';
import { layoutOf, REPOSITORY } from './layout.ts';
import { onNpmEnd } from './npm-parent.ts';
import { requireStopped } from './require-stopped.ts';
import { makeSignInUrl } from './sign-in-url.ts';
import type { Stack } from './stack.ts';
import { startStack } from './stack.ts';
import type { StartFlags } from './start-options.ts';
import { settingsOf, stackOptions } from './start-options.ts';

const NAME = 'npm start --';
const MAX_PORT = 65_535;
/** The state folder of earlier versions. */
const OLD_STATE = join(REPOSITORY, '.wrangler', 'state');

function createProgram(): Command {
  const program = new Command(NAME)
    .description('Runs the edge, its clock and one agent on this machine.')
    .addOption(
      new Option('--port <port>', 'port of the edge; 0 picks a free one')
        .argParser(parsePort)
        .default(USUAL_PORTS.edge),
    )
    .addOption(
      new Option('--agent-port <port>', 'port of the agent, for the bridge and the local API; 0 picks a free one')
        .argParser(parsePort)
        .default(USUAL_PORTS.agent),
    )
    .addOption(valueOption('--root <folder>', 'keep everything below this folder (default: BAA_ROOT, or ~/.baa)'))
    .addOption(
      new Option(
        '--node-id <id>',
        'id of this node (default: the one that this root has had, or <host>-main)',
      ).argParser(parserOf(SETTINGS.nodeId.schema)),
    )
    .addOption(
      new Option('--host <name>', 'name of this host (default: the name of this machine)').argParser(
        parserOf(SETTINGS.host.schema),
      ),
    )
    .option('--no-agent', 'start the edge only')
    .option('--json', 'print one JSON line when ready')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error/, 'npm start')) });
  for (const option of edgeSettingOptions) program.addOption(option);
  return program;
}

function parserOf(schema: z.ZodType<string>): (value: string) => string {
  return (value) => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new InvalidArgumentError(parsed.error.issues.map(({ message }) => message).join('; '));
  };
}

function parsePort(value: string): number {
  const port = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (port <= MAX_PORT) return port;
  throw new InvalidArgumentError(`It is not a port (0 to ${MAX_PORT}).`);
}

function stopOnSignals(stack: Stack, say: (line: string) => void): void {
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    say('stopping');
    try {
      await stack.stop();
      process.exit(EXIT.fine);
    } catch (error) {
      say(String(error));
      process.exit(EXIT.failed);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop());
}

function readyLine(stack: Stack, signInUrl: string) {
  return {
    ready: true,
    edge_url: stack.edgeUrl,
    sign_in_url: signInUrl,
    agent_url: stack.agentUrl,
    ops_token_file: stack.layout.operatorFile,
    controller_id: stack.nodeId,
    root: stack.layout.root,
  };
}

function welcome({ layout, edgeUrl, agentUrl, nodeId }: Stack, signInUrl: string): string {
  const rest = layout.root === defaultRoot() ? '' : ` --root ${layout.root}`;
  const command = (name: string) => `npm run conductor -- ${name}${rest}`;
  return [
    '',
    'The conductor is running. Ctrl-C stops it.',
    '',
    `  page       ${signInUrl}`,
    `             signs in once, within five minutes; later: ${command('open')}`,
    `  edge       ${edgeUrl}   reference ${edgeUrl}/v1/docs`,
    `  agent      ${agentUrl ?? 'not started'}   node ${nodeId}`,
    `  files      ${layout.root}   a chat may use ${workspaceOf(layout.root)}`,
    '',
    `  look       ${command('status')}`,
    ...(agentUrl === null
      ? []
      : [
          `  browser    ${command('firefox')}`,
          '             a Firefox of its own, paired; to pair your own Firefox instead:',
          `             ${command('pair')}`,
        ]),
    '',
  ].join('\n');
}

/** Starts the system; returns the exit code when it could not or need not start, null while it runs. */
async function main(argv: readonly string[]): Promise<number | null> {
  const say = (line: string): void => console.error(line);
  keepOutputSmall(process.env[SERVICE_LOG]);
  onNpmEnd(() => process.kill(process.pid, 'SIGTERM'));
  try {
    const flags = createProgram().parse(argv, { from: 'user' }).opts<StartFlags>();
    const settings = settingsOf(flags, process.env);
    const { root } = settings.config;
    if (flags.agent) requireStopped(root, process.env);
    const adopted = adoptOldState(layoutOf(root), { folder: OLD_STATE, isExplicit: flags.root !== undefined });
    if (adopted !== null) say(adopted);
    const stack = await startStack(stackOptions(flags, settings), say);
    stopOnSignals(stack, say);
    rememberRoot(root);
    returnMemoryOfStart();
    const signInUrl = await makeSignInUrl(stack);
    console.log(flags.json ? JSON.stringify(readyLine(stack, signInUrl)) : welcome(stack, signInUrl));
    return null;
  } catch (error) {
    // By the time commander throws it has printed the help or the error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.usage;
    say(`npm start: ${describeFailure(error)}`);
    return error instanceof ConfigError ? EXIT.usage : EXIT.failed;
  }
}

const code = await main(process.argv.slice(2));
if (code !== null) process.exit(code);

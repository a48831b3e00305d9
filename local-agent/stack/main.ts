/** `npm start`: runs the whole system on this machine until Ctrl-C. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { z } from 'zod';
import { BRIDGE } from '../../schema/defaults.ts';
import { describeFailure, EXIT } from '../commands/exit-codes.ts';
import { valueOption } from '../config/flags.ts';
import { SETTINGS } from '../config/settings.ts';
import { onNpmEnd } from './npm-parent.ts';
import type { Stack, StackOptions } from './stack.ts';
import { startStack } from './stack.ts';

const NAME = 'npm start --';
const PORTS = { edge: 8787, agent: 4317 };
const MAX_PORT = 65_535;
const HOST = SETTINGS.host.fallback({ root: '', host: '', role: 'primary' });

/** The id that the agent itself would take on that host. */
function nodeIdOn(host: string): string {
  return SETTINGS.nodeId.fallback({ root: '', host, role: 'primary' });
}

interface Flags {
  port: number;
  agentPort: number;
  root?: string;
  nodeId?: string;
  host: string;
  agent: boolean;
  json?: true;
}

function createProgram(): Command {
  return new Command(NAME)
    .description('Runs the edge, its clock and one agent on this machine.')
    .addOption(
      new Option('--port <port>', 'port of the edge; 0 picks a free one').argParser(parsePort).default(PORTS.edge),
    )
    .addOption(
      new Option('--agent-port <port>', 'port of the agent, for the bridge and the local API; 0 picks a free one')
        .argParser(parsePort)
        .default(PORTS.agent),
    )
    .addOption(
      valueOption(
        '--root <folder>',
        'keep everything below this folder (default: ~/.baa, and .wrangler/state for the edge)',
      ),
    )
    .addOption(
      new Option('--node-id <id>', `id of this node (default: "${nodeIdOn('<host>')}")`).argParser(
        parserOf(SETTINGS.nodeId.schema),
      ),
    )
    .addOption(new Option('--host <name>', 'name of this host').argParser(parserOf(SETTINGS.host.schema)).default(HOST))
    .option('--no-agent', 'start the edge only')
    .option('--json', 'print one JSON line when ready')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error/, 'npm start')) });
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

function stackOptions({ root, port, agentPort, nodeId, host, agent }: Flags): StackOptions {
  return { root, port, agentPort, nodeId: nodeId ?? nodeIdOn(host), host, agent };
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

function readyLine(stack: Stack, options: StackOptions) {
  return {
    ready: true,
    edge_url: stack.edgeUrl,
    agent_url: stack.agentUrl,
    ops_token_file: stack.layout.operatorFile,
    controller_id: options.nodeId,
    root: stack.layout.root,
  };
}

/** Returns how to call a command against this system: the settings that differ from the defaults come first. */
function commandFor(stack: Stack, options: StackOptions): (command: string) => string {
  const settings = [
    ['BAA_ROOT', options.root === undefined ? null : stack.layout.root, null],
    ['BAA_CONTROL_API_BASE', stack.edgeUrl, `http://127.0.0.1:${PORTS.edge}`],
    ['BAA_CONDUCTOR_LOCAL_API', stack.agentUrl, BRIDGE.default_local_api],
    ['BAA_NODE_ID', options.nodeId, nodeIdOn(HOST)],
  ] as const;
  const words = settings.flatMap(([name, value, fallback]) =>
    value === null || value === fallback ? [] : [`${name}=${value}`],
  );
  return (command) => [...words, 'npm run conductor --', command].join(' ');
}

function welcome(stack: Stack, options: StackOptions): string {
  const command = commandFor(stack, options);
  return [
    '',
    'The conductor is running. Ctrl-C stops it.',
    '',
    `  status     ${stack.edgeUrl}/v1/status   (bearer token in ${stack.layout.operatorFile})`,
    `  reference  ${stack.edgeUrl}/v1/docs`,
    `  agent      ${stack.agentUrl ?? 'not started'}   node ${options.nodeId}, files under ${stack.layout.root}`,
    '',
    `  look       ${command('status')}`,
    ...(stack.agentUrl === null
      ? []
      : [`  pair       ${command('pair')}`, '             then type the code into the extension']),
    '',
  ].join('\n');
}

/** Starts the system; returns the exit code when it could not or need not start, null while it runs. */
async function main(argv: readonly string[]): Promise<number | null> {
  const say = (line: string): void => console.error(line);
  onNpmEnd(() => process.kill(process.pid, 'SIGTERM'));
  try {
    const flags = createProgram().parse(argv, { from: 'user' }).opts<Flags>();
    const options = stackOptions(flags);
    const stack = await startStack(options, say);
    stopOnSignals(stack, say);
    console.log(flags.json ? JSON.stringify(readyLine(stack, options)) : welcome(stack, options));
    return null;
  } catch (error) {
    // By the time commander throws it has printed the help or the error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.usage;
    say(`npm start: ${describeFailure(error)}`);
    return EXIT.failed;
  }
}

const code = await main(process.argv.slice(2));
if (code !== null) process.exit(code);

/** `npm start`: the whole system on this machine, until Ctrl-C. */
import type { ArgsDef } from 'citty';
import { defineCommand, renderUsage } from 'citty';
import type { z } from 'zod';
import { firstIssueText } from '../../schema/contracts/issues.ts';
import { BRIDGE } from '../../schema/defaults.ts';
import { defaultDeps } from '../commands/deps.ts';
import { plain } from '../commands/output.ts';
import { EXIT, parseVerbArgs, UsageError } from '../commands/verb.ts';
import { SETTINGS } from '../config/settings.ts';
import type { Stack, StackOptions } from './stack.ts';
import { startStack } from './stack.ts';

const META = { name: 'npm start --', description: 'the edge, its clock and one agent on this machine' };
const PORTS = { port: '8787', 'agent-port': '4317' };
const HOST = SETTINGS.host.fallback({ root: '', host: '', role: 'primary' });

const ARGS: ArgsDef = {
  port: { type: 'string', default: PORTS.port, description: 'Port of the edge; 0 picks a free one' },
  'agent-port': {
    type: 'string',
    default: PORTS['agent-port'],
    description: 'Port of the agent, for the bridge and its local API; 0 picks a free one',
  },
  root: {
    type: 'string',
    description: 'Keep everything below this folder (without: ~/.baa, and .wrangler/state for the edge)',
  },
  'node-id': { type: 'string', description: `Name of this node (Default: ${nodeIdOn('<host>')})` },
  host: { type: 'string', default: HOST, description: 'Name of this host' },
  agent: {
    type: 'boolean',
    default: true,
    description: 'Start an agent beside the edge',
    negativeDescription: 'Start the edge only',
  },
  json: { type: 'boolean', description: 'Print one JSON line when ready' },
  help: { type: 'boolean', description: 'Show this' },
};

/** The id that the agent itself would take on that host. */
function nodeIdOn(host: string): string {
  return SETTINGS.nodeId.fallback({ root: '', host, role: 'primary' });
}

function optionsOf(rawArgs: readonly string[]) {
  const given = parseVerbArgs(rawArgs, ARGS);
  const host = nameOf('--host', given.host ?? HOST, SETTINGS.host.schema);
  const options: StackOptions = {
    root: given.root === undefined ? undefined : String(given.root),
    port: portOf(String(given.port ?? PORTS.port), '--port'),
    agentPort: portOf(String(given['agent-port'] ?? PORTS['agent-port']), '--agent-port'),
    nodeId: nameOf('--node-id', given['node-id'] ?? nodeIdOn(host), SETTINGS.nodeId.schema),
    host,
    agent: given.agent !== false,
  };
  return { options, json: given.json === true, help: given.help === true };
}

function nameOf(flag: string, value: unknown, schema: z.ZodType<string>): string {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UsageError(`${flag}: ${firstIssueText(parsed.error, JSON.stringify(value))}`);
}

function portOf(text: string, flag: string): number {
  const port = Number(text);
  if (text !== '' && Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new UsageError(`${flag}: '${text}' is not a port (0 to 65535)`);
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

/** How a person calls the command line for exactly this system; what is the default is left out. */
function commandFor(stack: Stack, options: StackOptions): (verb: string) => string {
  const settings = [
    ['BAA_ROOT', options.root === undefined ? null : stack.layout.root, null],
    ['BAA_CONTROL_API_BASE', stack.edgeUrl, `http://127.0.0.1:${PORTS.port}`],
    ['BAA_CONDUCTOR_LOCAL_API', stack.agentUrl, BRIDGE.default_local_api],
    ['BAA_NODE_ID', options.nodeId, nodeIdOn(HOST)],
  ] as const;
  const words = settings.flatMap(([name, value, fallback]) =>
    value === null || value === fallback ? [] : [`${name}=${value}`],
  );
  return (verb) => [...words, 'npm run conductor --', verb].join(' ');
}

function welcome(stack: Stack, options: StackOptions): string {
  const command = commandFor(stack, options);
  return [
    '',
    'The conductor is running. Ctrl-C stops all of it.',
    '',
    `  status     ${stack.edgeUrl}/v1/status   (bearer token in ${stack.layout.operatorFile})`,
    `  reference  ${stack.edgeUrl}/v1/docs`,
    `  agent      ${stack.agentUrl ?? 'not started'}   node ${options.nodeId}, files under ${stack.layout.root}`,
    '',
    `  look       ${command('status')}`,
    ...(stack.agentUrl === null
      ? []
      : [`  pair       ${command('pair')}`, '             then type its code into the extension']),
    '',
  ].join('\n');
}

async function main(rawArgs: readonly string[]): Promise<number | null> {
  const say = (line: string): void => console.error(line);
  try {
    const { options, json, help } = optionsOf(rawArgs);
    if (help) {
      console.log(plain(defaultDeps, await renderUsage(defineCommand({ meta: META, args: ARGS }))));
      return EXIT.fine;
    }
    const stack = await startStack(options, say);
    stopOnSignals(stack, say);
    console.log(json ? JSON.stringify(readyLine(stack, options)) : welcome(stack, options));
    return null;
  } catch (error) {
    say(`npm start: ${error instanceof Error ? error.message : String(error)}`);
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

const code = await main(process.argv.slice(2));
if (code !== null) process.exit(code);

/** `npm start`: the whole system on this machine, until Ctrl-C. */
import { defineCommand, runMain } from 'citty';
import type { Stack, StackOptions } from './stack.ts';
import { DEFAULT_NODE_ID, startStack } from './stack.ts';

const start = defineCommand({
  meta: { name: 'npm start --', description: 'Starts the edge, its clock and one agent on this machine.' },
  args: {
    port: { type: 'string', default: '8787', description: 'Port of the edge; 0 picks a free one' },
    'agent-port': {
      type: 'string',
      default: '4317',
      description: 'Port of the agent: bridge and local API; 0 picks a free one',
    },
    root: {
      type: 'string',
      description: 'Keep everything below this folder (default: ~/.baa, and .wrangler/state for the edge)',
    },
    'node-id': { type: 'string', default: DEFAULT_NODE_ID, description: 'Name of this node' },
    host: { type: 'string', default: 'localhost', description: 'Name of this host' },
    agent: {
      type: 'boolean',
      default: true,
      description: 'Start the agent too',
      negativeDescription: 'Start the edge only',
    },
    json: { type: 'boolean', default: false, description: 'Print one JSON line when ready' },
  },
  run: async ({ args }) => {
    const say = (line: string): void => console.error(line);
    const options: StackOptions = {
      root: args.root,
      port: portOf(args.port, '--port'),
      agentPort: portOf(args['agent-port'], '--agent-port'),
      nodeId: args['node-id'],
      host: args.host,
      agent: args.agent,
    };
    const stack = await startStack(options, say);
    let stopping = false;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (stopping) return;
        stopping = true;
        say('stopping');
        stack.stop().then(
          () => process.exit(0),
          (error: unknown) => {
            say(String(error));
            process.exit(1);
          },
        );
      });
    }
    if (args.json) console.log(JSON.stringify(readyLine(stack, options)));
    else console.log(welcome(stack, options));
  },
});

function portOf(text: string, flag: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  console.error(`${flag}: ${text} is not a port (0 to 65535)`);
  process.exit(2);
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

function welcome(stack: Stack, options: StackOptions): string {
  const lines = [
    '',
    'The conductor is running.',
    '',
    `  status     ${stack.edgeUrl}/v1/status   (bearer token in ${stack.layout.operatorFile})`,
    `  reference  ${stack.edgeUrl}/v1/docs`,
    `  agent      ${stack.agentUrl ?? 'not started (--no-agent)'}   node ${options.nodeId}, files under ${stack.layout.root}`,
  ];
  const cli =
    options.root === undefined ? 'npm run conductor --' : `BAA_ROOT=${stack.layout.root} npm run conductor --`;
  const where = `--control-api-base ${stack.edgeUrl}`;
  if (stack.agentUrl)
    lines.push(
      `  pair       ${cli} pair ${where} --local-api ${stack.agentUrl}   then type the code into the extension's options`,
    );
  lines.push(`  look       ${cli} status ${where}`, '', 'Ctrl-C stops all of it.', '');
  return lines.join('\n');
}

await runMain(start);

/** `mcp`: the edge's MCP endpoint on standard input and output, for clients that start a command. */
import type { Readable } from 'node:stream';
import { connectionOptions } from '../config/flags.ts';
import type { CliCommand } from './command.ts';
import { operatorConfig } from './edge-access.ts';
import { EXIT } from './exit-codes.ts';
import { McpBridge } from './mcp-bridge.ts';

/** How long the answers that are open when the client has ended its input have: more than the edge waits for a call. */
const LAST_ANSWERS_MS = 40_000;

export const mcp: CliCommand = {
  name: 'mcp',
  about: 'serve the tools of the edge to an MCP client that starts this command (docs/mcp.md)',
  examples: ['mcp --root /srv/baa'],
  options: connectionOptions,
  run: async (args, deps) => {
    const { controlApiBase, operatorToken } = operatorConfig(args, deps);
    const bridge = new McpBridge({
      url: new URL('/mcp', controlApiBase),
      token: operatorToken,
      // On standard error, because standard output carries the protocol.
      warn: deps.warn,
      send: async (message) => void deps.print(JSON.stringify(message)),
    });
    const stopped = deps.stopSignal();
    const { stdin } = process;
    const ended = eachLine(stdin, (line) => void bridge.forwardLine(line));
    await Promise.race([ended.catch((error: unknown) => deps.warn(`mcp: ${String(error)}`)), stopped]);
    await Promise.race([bridge.answered(LAST_ANSWERS_MS), stopped]);
    // After a signal it is still open, and a reader of it would keep this process.
    stdin.destroy();
    return EXIT.fine;
  },
};

/** Not `readline`, which also ends a line at characters that a text in JSON may have. */
async function eachLine(input: Readable, take: (line: string) => void): Promise<void> {
  let rest = '';
  for await (const text of input.setEncoding('utf8')) {
    const lines = (rest + String(text)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  }
  take(rest);
}

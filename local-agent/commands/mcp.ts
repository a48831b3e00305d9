/** `mcp`: the edge's MCP endpoint on standard input and output, for clients that start a command. */
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { connectionOptions } from '../config/flags.ts';
import type { CliCommand } from './command.ts';
import { operatorConfig } from './edge-access.ts';
import { EXIT } from './exit-codes.ts';
import { McpBridge } from './mcp-bridge.ts';

export const mcp: CliCommand = {
  name: 'mcp',
  about: 'serve the tools of the edge to an MCP client that starts this command (docs/mcp.md)',
  examples: ['mcp --root /srv/baa'],
  options: connectionOptions,
  run: async (args, deps) => {
    const { controlApiBase, operatorToken } = operatorConfig(args, deps);
    const transport = new StdioServerTransport();
    const bridge = new McpBridge({
      url: new URL('/mcp', controlApiBase),
      token: operatorToken,
      // On standard error, because standard output carries the protocol.
      warn: deps.warn,
      send: (message) => transport.send(message),
    });
    const closed = new Promise<void>((resolve) => {
      transport.onclose = () => resolve();
    });
    transport.onmessage = (message) => void bridge.forward(message);
    transport.onerror = (error) => deps.warn(`mcp: ${error.message}`);
    await transport.start();
    await Promise.race([closed, deps.stopSignal()]);
    await transport.close();
    return EXIT.fine;
  },
};

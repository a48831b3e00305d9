/**
 * `nodes`: the machines of this system. `list` and `show` look at them. `add` makes a second host one line: it creates its token and prints its `init`.
 * `drain` moves the work of one to others.
 */
import { Argument } from 'commander';
import { isLoopback } from '../lib/loopback.ts';
import { printedCommand } from '../lib/printed-command.ts';
import type { CliCommand } from './command.ts';
import { optionalText } from './command.ts';
import { drain } from './drain-node.ts';
import { edgeOptions, operatorConfig } from './edge-access.ts';
import { EXIT } from './exit-codes.ts';
import { parseNode } from './node-name.ts';
import { createNodeToken } from './node-token.ts';
import { present } from './output.ts';
import { listNodes, showNode } from './show-nodes.ts';

const add: CliCommand = {
  name: 'add',
  about: 'create the token of a further node and print the line that sets up its host',
  argument: new Argument('<node>', 'an id for it, usually the name of its machine'),
  examples: ['nodes add mini'],
  options: edgeOptions,
  run: async (args, deps) => {
    const node = parseNode(args.node);
    const { controlApiBase, operatorToken } = operatorConfig(args, deps);
    const printed = (command: string) => printedCommand(deps.env, command, optionalText(args, 'root'));
    const edge = deps.connect(controlApiBase, operatorToken);
    try {
      const { token, token_id } = await createNodeToken(edge, node, { clock: deps.clock, printed });
      const init = `BAA_SHARED_TOKEN=${token} npm run conductor -- init --control-api-base ${controlApiBase}`;
      present(args, deps, { node_id: node, token_id, token, init }, () => deps.print(init));
      deps.warn(
        `Run this line in the program's folder on ${node}. It holds the secret of ${token_id}, shown only once.`,
      );
      if (isLoopback(new URL(controlApiBase).hostname)) {
        const { port } = new URL(controlApiBase);
        deps.warn(
          `This edge is reachable on this machine only. Another machine needs a tunnel while it runs: ssh -N -R ${port}:127.0.0.1:${port} ${node}`,
        );
      }
      return EXIT.fine;
    } finally {
      await edge.close();
    }
  },
};

export const nodes: readonly CliCommand[] = [add, listNodes, showNode, drain];

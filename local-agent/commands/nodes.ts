/**
 * `nodes`: the machines of this system. `list` and `show` look at them. `add` makes a second host one line: it creates its token and prints its `init`.
 * `drain` moves the work of one to others.
 */
import { Argument } from 'commander';
import { z } from 'zod';
import { pageOf } from '../../schema/contracts/common.ts';
import type { Token } from '../../schema/contracts/tokens.ts';
import { TokenCreatedSchema, TokenSchema } from '../../schema/contracts/tokens.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { EdgeError } from '../edge/http-client.ts';
import { printedCommand } from '../lib/printed-command.ts';
import type { CliCommand } from './command.ts';
import { optionalText } from './command.ts';
import { drain } from './drain-node.ts';
import { edgeOptions, operatorConfig } from './edge-access.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import { parseNode } from './node-name.ts';
import { present } from './output.ts';
import { listNodes, showNode } from './show-nodes.ts';

const NOT_FOUND = 404;
const PageSchema = pageOf(TokenSchema);
type Page = z.infer<typeof PageSchema>;
const LOOPBACK = /^https?:\/\/(127\.|localhost[:/]|localhost$|\[::1\])/;

async function exists(edge: EdgeClient, node: string): Promise<boolean> {
  try {
    await edge.call({ method: 'GET', path: `/v1/controllers/${encodeURIComponent(node)}`, schema: z.looseObject({}) });
    return true;
  } catch (error) {
    if (error instanceof EdgeError && error.status === NOT_FOUND) return false;
    throw error;
  }
}

/** A token that a host can still register the node with; null when there is none. */
async function validTokenOf(edge: EdgeClient, node: string, now: number): Promise<Token | null> {
  const query = new URLSearchParams({ role: 'controller', controller_id: node });
  let cursor: string | null = null;
  do {
    if (cursor !== null) query.set('cursor', cursor);
    const page: Page = await edge.call({ method: 'GET', path: `/v1/tokens?${query}`, schema: PageSchema });
    const valid = page.items.find(
      ({ revoked_at, expires_at }) => revoked_at === null && (expires_at === null || expires_at > now),
    );
    if (valid !== undefined) return valid;
    cursor = page.next_cursor;
  } while (cursor !== null);
  return null;
}

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
      if (await exists(edge, node)) {
        const create = `tokens create --role controller --subject ${node} --controller-id ${node}`;
        throw new UsageError(
          `node ${node} exists already, and two hosts cannot share one id: choose another name. For a lost token of that host: ${printed(create)}`,
        );
      }
      const valid = await validTokenOf(edge, node, deps.clock.now());
      if (valid !== null) {
        throw new UsageError(
          `node ${node} has a valid token already, ${valid.token_id}, which no host has used to register: run the line that its creation printed. When that line is lost, revoke the token and add the node again: ${printed(`tokens revoke ${valid.token_id}`)}`,
        );
      }
      const body = { role: 'controller', subject: node, controller_id: node };
      const { token, token_id } = await edge.call({
        method: 'POST',
        path: '/v1/tokens',
        body,
        schema: TokenCreatedSchema,
      });
      const init = `BAA_SHARED_TOKEN=${token} npm run conductor -- init --control-api-base ${controlApiBase}`;
      present(args, deps, { node_id: node, token_id, token, init }, () => deps.print(init));
      deps.warn(
        `Run this line in the program's folder on ${node}. It holds the secret of ${token_id}, shown only once.`,
      );
      if (LOOPBACK.test(controlApiBase)) {
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

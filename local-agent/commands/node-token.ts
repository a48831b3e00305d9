/** What a node's token says of its node. */
import { SessionSchema } from '../../schema/contracts/tokens.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { printedCommand } from '../lib/printed-command.ts';
import type { CommandDeps } from './deps.ts';
import { UsageError } from './exit-codes.ts';

/**
 * The id of the node that the client's token is bound to.
 *
 * @throws EdgeError, UsageError when the token is not the token of a node
 */
export async function readNodeId(edge: EdgeClient, { env }: Pick<CommandDeps, 'env'>): Promise<string> {
  const session = await edge.call({ method: 'GET', path: '/v1/session', schema: SessionSchema });
  if (session.role === 'controller' && session.controller_id !== null) return session.controller_id;
  throw new UsageError(
    `the token has the role ${session.role}, and a node needs one of the role controller: "${printedCommand(env, 'nodes add NAME')}" on the first host creates it`,
  );
}

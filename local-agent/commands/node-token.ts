/** The token of a node: what it says of its node, and how a new node gets one. */
import { z } from 'zod';
import { pageOf } from '../../schema/contracts/common.ts';
import type { Session, Token, TokenCreated } from '../../schema/contracts/tokens.ts';
import { SessionSchema, TokenCreatedSchema, TokenSchema } from '../../schema/contracts/tokens.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { EdgeError } from '../edge/http-client.ts';
import { printedCommand } from '../lib/printed-command.ts';
import type { CommandDeps } from './deps.ts';
import { RefusedError } from './exit-codes.ts';
import { readList } from './read-pages.ts';

const NOT_FOUND = 404;

export function readSession(edge: EdgeClient): Promise<Session> {
  return edge.call({ method: 'GET', path: '/v1/session', schema: SessionSchema });
}

/** @throws RefusedError when the session is not that of a node */
export function nodeIdOf({ role, controller_id }: Session, { env }: Pick<CommandDeps, 'env'>): string {
  if (role === 'controller' && controller_id !== null) return controller_id;
  throw new RefusedError(
    `the token has the role ${role}, and a node needs one of the role controller: "${printedCommand(env, 'nodes add NAME')}" on the first host creates it`,
  );
}

/**
 * The id of the node that the client's token is bound to.
 *
 * @throws EdgeError, RefusedError when the token is not the token of a node
 */
export async function readNodeId(edge: EdgeClient, deps: Pick<CommandDeps, 'env'>): Promise<string> {
  return nodeIdOf(await readSession(edge), deps);
}

async function exists(edge: EdgeClient, node: string): Promise<boolean> {
  try {
    await edge.call({ method: 'GET', path: `/v1/controllers/${encodeURIComponent(node)}`, schema: z.looseObject({}) });
    return true;
  } catch (error) {
    if (error instanceof EdgeError && error.status === NOT_FOUND) return false;
    throw error;
  }
}

/** A token that a host can still register the node with; undefined when there is none. */
async function validTokenOf(edge: EdgeClient, node: string, now: number): Promise<Token | undefined> {
  const tokens = await readList('tokens', (cursor) => {
    const query = new URLSearchParams({ role: 'controller', controller_id: node });
    if (cursor !== null) query.set('cursor', cursor);
    return edge.call({ method: 'GET', path: `/v1/tokens?${query}`, schema: pageOf(TokenSchema) });
  });
  return tokens.find(({ revoked_at, expires_at }) => revoked_at === null && (expires_at === null || expires_at > now));
}

/**
 * Creates the token of a node that does not exist yet. `printed` is a command as a person types it.
 *
 * @throws RefusedError when the node exists, or has a token that another host may use
 */
export async function createNodeToken(
  edge: EdgeClient,
  node: string,
  { clock, printed }: Pick<CommandDeps, 'clock'> & { printed: (command: string) => string },
): Promise<TokenCreated> {
  if (await exists(edge, node)) {
    const create = `tokens create --role controller --subject ${node} --controller-id ${node}`;
    throw new RefusedError(
      `node ${node} exists already, and two hosts cannot share one id: choose another name. For a lost token of that host: ${printed(create)}`,
    );
  }
  const valid = await validTokenOf(edge, node, clock.now());
  if (valid !== undefined) {
    throw new RefusedError(
      `node ${node} has a valid token already, ${valid.token_id}, which no host has used to register: run the line that its creation printed. When that line is lost, revoke the token and add the node again: ${printed(`tokens revoke ${valid.token_id}`)}`,
    );
  }
  const body = { role: 'controller', subject: node, controller_id: node };
  return edge.call({ method: 'POST', path: '/v1/tokens', body, schema: TokenCreatedSchema });
}

/**
 * Pairs a browser whose origin and id are known: a token of its own from the edge, pinned at the agent. The agent cannot
 * create tokens, so the command does it with the operator's token.
 */
import { z } from 'zod';
import { PairingResponseSchema } from '../../schema/contracts/local-api.ts';
import type { TokenCreated } from '../../schema/contracts/tokens.ts';
import { TokenCreatedSchema } from '../../schema/contracts/tokens.ts';
import type { EdgeClient } from '../edge/http-client.ts';

export interface BrowserIdentity {
  origin: string;
  client_id: string;
}

/** Creates the browser's token and pins it; a token that was not pinned is revoked. @throws EdgeError */
export async function pairBrowser(
  edge: EdgeClient,
  agent: EdgeClient,
  browser: BrowserIdentity,
): Promise<TokenCreated> {
  const body = { role: 'browser_admin', subject: browser.client_id };
  const created = await edge.call({ method: 'POST', path: '/v1/tokens', body, schema: TokenCreatedSchema });
  try {
    await pinBrowser(agent, browser, created.token);
    return created;
  } catch (error) {
    await revokeToken(edge, created.token_id);
    throw error;
  }
}

/** Revokes a token that is of no use any more. A failure is no failure of the caller: the token is unknown to all others. */
export async function revokeToken(edge: EdgeClient, tokenId: string): Promise<void> {
  const path = `/v1/tokens/${encodeURIComponent(tokenId)}`;
  await edge.call({ method: 'DELETE', path, schema: z.unknown() }).catch(() => undefined);
}

/** Pins a browser under a token that it has; the agent asks the edge whether it is that browser's. @throws EdgeError */
export async function pinBrowser(agent: EdgeClient, browser: BrowserIdentity, token: string): Promise<void> {
  await agent.call({
    method: 'POST',
    path: '/v1/pairings',
    body: { ...browser, token },
    schema: PairingResponseSchema,
  });
}

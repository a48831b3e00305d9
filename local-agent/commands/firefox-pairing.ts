/** Keeps the browser of `conductor firefox` paired, and says when its extension has connected. */
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { EdgeClient } from '../edge/http-client.ts';
import { EdgeError } from '../edge/http-client.ts';
import type { Identity } from '../firefox/profile.ts';
import { originOf } from '../firefox/profile.ts';
import { pairBrowser, pinBrowser, revokeToken } from './pin-browser.ts';

const LOOK_MS = 200;

const StatusSchema = z.object({ clients: z.array(z.object({ client_id: z.string(), connected: z.boolean() })) });

export interface PairingDeps {
  agent: EdgeClient;
  /** Runs `use` with the operator's access to the edge. It is asked for only when a token is to be created. */
  withOperator: <T>(use: (edge: EdgeClient) => Promise<T>) => Promise<T>;
  warn: (line: string) => void;
}

export type PairedIdentity = Identity & { token: NonNullable<Identity['token']> };

/**
 * The identity with a token that agent and edge accept. A token that they still accept is kept; else a new one replaces it.
 *
 * @throws EdgeError
 */
export async function ensurePaired(identity: Identity, deps: PairingDeps): Promise<PairedIdentity> {
  const { token } = identity;
  if (token !== null && (await isStillPaired(identity, token.secret, deps))) return { ...identity, token };
  const browser = { origin: originOf(identity), client_id: identity.client_id };
  const { token_id, token: secret } = await deps.withOperator(async (edge) => {
    const created = await pairBrowser(edge, deps.agent, browser);
    if (token !== null) await revokeToken(edge, token.token_id);
    return created;
  });
  return { ...identity, token: { token_id, secret } };
}

/** Pinning the same token again changes nothing, and says whether the edge still knows it. */
async function isStillPaired(identity: Identity, secret: string, { agent, warn }: PairingDeps): Promise<boolean> {
  try {
    await pinBrowser(agent, { origin: originOf(identity), client_id: identity.client_id }, secret);
    return true;
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error;
    if (error.code === 'edge_unreachable') {
      warn('the edge does not respond, so the earlier pairing is used without a check');
      return true;
    }
    if (error.code !== 'forbidden') throw error;
    warn(`the pairing of ${identity.client_id} was revoked or is gone; pairing it again`);
    return false;
  }
}

/** Whether the extension of that browser has connected to the agent; false after `limitMs`, or when `isOver`. */
export async function untilConnected(
  agent: EdgeClient,
  clientId: string,
  { limitMs, isOver }: { limitMs: number; isOver: () => boolean },
): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (performance.now() < deadline && !isOver()) {
    const status = await agent
      .call({ method: 'GET', path: '/v1/status', schema: StatusSchema, timeoutMs: limitMs })
      .catch((error: unknown) => {
        // The agent may be restarted in the meantime.
        if (error instanceof EdgeError && error.retryable) return { clients: [] };
        throw error;
      });
    if (status.clients.some(({ client_id, connected }) => client_id === clientId && connected)) return true;
    await wait(LOOK_MS);
  }
  return false;
}

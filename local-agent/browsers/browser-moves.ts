/**
 * Moves a browser that has come to this node from another one. The edge refuses what this node reports of it, until the
 * browser is moved; its own token proves that it is here. Messages of the browser wait in the outbox meanwhile.
 */
import type { Logger } from 'pino';
import { ClientSchema } from '../../schema/contracts/clients.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import type { BrowserClients } from './clients.ts';
import type { ConnectedBrowsers } from './connected-browsers.ts';

export interface BrowserMovesDeps {
  edge: Pick<EdgeClient, 'call'>;
  nodeId: string;
  clients: Pick<BrowserClients, 'disowned' | 'reportAgain'>;
  connected: Pick<ConnectedBrowsers, 'tokenOf'>;
  log: Pick<Logger, 'info' | 'warn'>;
}

/** Moves each browser whose report the edge refuses; `onMoved` is called after each move. */
export function followMoves(deps: BrowserMovesDeps, onMoved: () => void): void {
  deps.clients.disowned.on((clientId) => void move(deps, clientId, onMoved));
}

async function move(
  { edge, nodeId, clients, connected, log }: BrowserMovesDeps,
  clientId: string,
  onMoved: () => void,
) {
  const token = connected.tokenOf(clientId);
  // Its next connection is reported, refused and moved then.
  if (token === null) return;
  try {
    await edge.call({
      method: 'POST',
      path: `/v1/browser/clients/${encodeURIComponent(clientId)}/move`,
      body: { controller_id: nodeId },
      token,
      schema: ClientSchema,
    });
  } catch (error) {
    log.warn(
      { err: error, client_id: clientId },
      'this browser belongs to another node, and its token did not move it: pair it with this node (conductor pair)',
    );
    return;
  }
  log.info({ client_id: clientId }, 'this browser was moved here from another node');
  clients.reportAgain(clientId);
  onMoved();
}

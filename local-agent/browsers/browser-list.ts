/** Paired browsers, as `GET /v1/status` and `GET /v1/browser` list them. */
import type { Store } from '../store/store.ts';
import type { BrowserClients } from './clients.ts';
import type { ConnectedBrowsers } from './connected-browsers.ts';

export interface BrowserView {
  client_id: string;
  origin: string;
  connected: boolean;
  /** Null while it is not connected. */
  extension_version: string | null;
  platforms: string[];
  tabs: number;
}

export function listBrowsers(
  store: Pick<Store, 'pairings'>,
  clients: BrowserClients,
  connected: ConnectedBrowsers,
): BrowserView[] {
  return store.pairings.list().map(({ client_id, origin }) => {
    const { platforms, tabs } = clients.get(client_id);
    return {
      client_id,
      origin,
      connected: connected.isConnected(client_id),
      extension_version: connected.extensionVersionOf(client_id),
      platforms: platforms.map(({ platform }) => platform),
      tabs: tabs.length,
    };
  });
}

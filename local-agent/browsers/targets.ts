/** Where a tool acts in this node's browsers: a connected browser that has the platform, and a tab of it. */
import type { ClientPutBody } from '../../schema/contracts/clients.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { PLATFORMS } from '../../schema/contracts/common.ts';
import type { TargetPayload } from '../../schema/contracts/conversations.ts';
import { targetPayload } from '../../schema/domain/links.ts';
import type { BrowserClients } from './clients.ts';
import type { ConnectedBrowsers } from './connected-browsers.ts';

interface KnownClient {
  client_id: string;
  body: ClientPutBody;
}
type Tab = ClientPutBody['tabs'][number];

export interface Wanted {
  platform: Platform;
  /** Null: a new conversation to send to, or the conversation seen last to read. */
  conversation_id: string | null;
  purpose: 'send' | 'read';
}

function isSuitable(tab: Tab, { platform, conversation_id, purpose }: Wanted): boolean {
  if (tab.platform !== platform) return false;
  if (conversation_id !== null) return tab.remote_conversation_id === conversation_id;
  return purpose === 'send' ? tab.shell_page : tab.remote_conversation_id !== null;
}

function hasPlatform(client: KnownClient, platform: Platform): boolean {
  return client.body.platforms.some((one) => one.platform === platform && one.login !== 'lost');
}

/**
 * The suitable tab that was seen last, else a page to open; null when no connected browser has the platform, or when
 * there is nothing to read. Pure.
 */
export function chooseTarget(
  clients: readonly KnownClient[],
  wanted: Wanted,
  isConnected: (clientId: string) => boolean,
): TargetPayload | null {
  const able = clients.filter((client) => isConnected(client.client_id) && hasPlatform(client, wanted.platform));
  const suitable = able.flatMap(({ client_id, body }) =>
    body.tabs.filter((tab) => isSuitable(tab, wanted)).map((tab) => ({ client_id, tab })),
  );
  const [newest] = suitable.sort((a, b) => b.tab.observed_at - a.tab.observed_at);
  if (newest) return targetPayload(newest.client_id, newest.tab);
  const [client] = able;
  if (!client || (wanted.conversation_id === null && wanted.purpose === 'read')) return null;
  const { home_url, conversation_url } = PLATFORMS[wanted.platform];
  const { conversation_id } = wanted;
  return targetPayload(client.client_id, {
    remote_conversation_id: conversation_id,
    page_url: conversation_id === null ? home_url : conversation_url + encodeURIComponent(conversation_id),
    shell_page: conversation_id === null,
  });
}

/** Chooses among the browsers that are connected now. */
export class BrowserTargets {
  readonly #clients: Pick<BrowserClients, 'all'>;
  readonly #connected: Pick<ConnectedBrowsers, 'isConnected'>;

  constructor(clients: Pick<BrowserClients, 'all'>, connected: Pick<ConnectedBrowsers, 'isConnected'>) {
    this.#clients = clients;
    this.#connected = connected;
  }

  choose(wanted: Wanted): TargetPayload | null {
    return chooseTarget(this.#clients.all(), wanted, (clientId) => this.#connected.isConnected(clientId));
  }
}

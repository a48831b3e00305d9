/**
 * Reports to the agent what this browser has: open tabs, logins, and which requests were seen. It is sent soon after a
 * change and at least once a minute while the agent is connected. Of requests only their role and status leave.
 */
import type { ExtensionFrame } from '../../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../../schema/contracts/common.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logins } from '../logins/logins.ts';
import type { TrafficEvent } from '../traffic.ts';
import type { SiteTab, TabRegistry } from './tab-registry.ts';
import { plainUrl } from './tab-registry.ts';

type ClientState = Extract<ExtensionFrame, { type: 'browser.client_state' }>;
type Hook = ClientState['request_hooks'][number];

const SOON_MS = 300;
const AGAIN_MS = 50_000;

export interface ClientStateDeps {
  clock: Clock;
  tabs: Pick<TabRegistry, 'all' | 'changed'>;
  logins: Pick<Logins, 'all' | 'changed' | 'accountToName'>;
  newId: () => string;
  isOn: (platform: Platform) => boolean;
  send: (frame: ClientState) => boolean;
}

export class ClientStateReports {
  readonly #deps: ClientStateDeps;
  readonly #hooks = new Map<string, Hook>();
  #cancel: () => void = () => undefined;
  #isDue = false;

  constructor(deps: ClientStateDeps) {
    this.#deps = deps;
    deps.tabs.changed.on(() => this.soon());
    deps.logins.changed.on(() => this.soon());
  }

  onTraffic({ platform, role, at, ...event }: TrafficEvent): void {
    if (event.type !== 'status' || (role !== 'send' && role !== 'read')) return;
    const key = `${platform}/${role}`;
    const isNew = !this.#hooks.has(key);
    const endpoint_metadata = { status: String(event.status), challenge: String(event.isChallenge) };
    this.#hooks.set(key, { platform, endpoint: role, endpoint_metadata, captured_at: at });
    if (isNew) this.soon();
  }

  /** Sends the state soon; changes until then go with it. */
  soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#cancel();
    this.#cancel = this.#deps.clock.after(SOON_MS, () => this.now());
  }

  /** Sends the state now, as after a greeting of the agent. */
  now(): void {
    this.#isDue = false;
    this.#cancel();
    if (this.#deps.send(this.#state())) this.#cancel = this.#deps.clock.after(AGAIN_MS, () => this.now());
  }

  #state(): ClientState {
    const { tabs, logins, newId, isOn } = this.#deps;
    return {
      type: 'browser.client_state',
      request_id: newId(),
      tabs: tabs
        .all()
        .filter(({ platform, address }) => isOn(platform) && address.kind !== 'other')
        .map((tab) => reported(tab, logins)),
      logins: logins
        .all()
        .filter(({ platform }) => isOn(platform))
        .map(({ platform, container, login, fingerprint }) => ({ platform, container, login, fingerprint })),
      request_hooks: [...this.#hooks.values()].filter(({ platform }) => isOn(platform)),
    };
  }
}

function reported(tab: SiteTab, logins: Pick<Logins, 'accountToName'>): ClientState['tabs'][number] {
  const { platform, address, url, title, tabId, observedAt, login } = tab;
  const account = logins.accountToName(login);
  return {
    platform,
    conversation_id: address.conversationId,
    page_url: plainUrl(url),
    page_title: title,
    tab_id: tabId,
    shell_page: address.kind !== 'conversation',
    observed_at: observedAt,
    ...(account !== null && { account_fingerprint: account }),
  };
}

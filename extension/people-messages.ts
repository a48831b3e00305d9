/**
 * What people see, and how it is asked for: the messages between the background page and the overlay, the popup and the
 * options page, over one port each. The background page sends a view at the start and at every change. An overlay may ask
 * for actions of a person; settings can be changed from the extension's own pages only.
 */
import type { BridgeSnapshot, ExtensionFrame } from '../schema/contracts/bridge-frames.ts';
import type { Platform } from '../schema/contracts/common.ts';
import type { DELIVERY_OUTCOMES } from '../schema/contracts/renewal.ts';

export const PEOPLE_PORT = 'people';

/**
 * How it is with the agent.
 * - `unpaired`: no token is stored.
 * - `connecting`: the first attempt, or one right after a lost connection.
 * - `connected`: the agent has accepted the token.
 * - `agent_absent`: nothing responds at the agent's address; it is tried again.
 * - `refused`: the agent or the edge does not accept the token any more; a person pairs again.
 * - `replaced`: a newer connection of the same browser has taken over, such as that of a copied profile.
 */
export const CONNECTION_STATUSES = [
  'unpaired',
  'connecting',
  'connected',
  'agent_absent',
  'refused',
  'replaced',
] as const;
export interface Connection {
  status: (typeof CONNECTION_STATUSES)[number];
  /** Unix milliseconds. */
  since: number;
  agentUrl: string;
  /** What the agent said when it closed; null when it said nothing. */
  detail: string | null;
  /** When the next attempt begins; null: none is planned. */
  nextTryAt: number | null;
}

/** Something of a site that does not look as it is known: a selector or a part of a response. */
export interface Drift {
  platform: Platform;
  what: string;
  /** The newest time it was seen, Unix milliseconds. */
  at: number;
  count: number;
}

/** How a delivery into a tab of this browser ended. */
export interface EndedDelivery {
  platform: Platform;
  conversationId: string | null;
  outcome: (typeof DELIVERY_OUTCOMES)[number];
  reason: string | null;
  at: number;
}

export interface SiteSetting {
  platform: Platform;
  isOn: boolean;
  /** Whether Firefox lets the extension see that site; with Manifest V3 a person can take that back. */
  isPermitted: boolean;
}

export interface PeopleView {
  version: string;
  connection: Connection;
  /** The newest one of the agent; kept while it is not connected, and shown as old then. */
  snapshot: BridgeSnapshot | null;
  /** When it arrived, Unix milliseconds. */
  snapshotAt: number | null;
  /** Captured messages that the agent has not acknowledged. */
  queue: { messages: number; oldestAt: number | null };
  drift: readonly Drift[];
  /** Newest first. */
  deliveries: readonly EndedDelivery[];
  sites: readonly SiteSetting[];
}

type PageControl = Extract<ExtensionFrame, { type: 'page_control' }>;
/** An action of a person, as the agent takes it. */
export type PersonAction = Omit<PageControl, 'type' | 'request_id'>;
export type ActionOutcome = { ok: true } | { ok: false; code: string; message: string };

/** Changes of settings. They need no agent. */
export type SettingsOrder =
  | { set: 'agent_url'; url: string }
  | { set: 'site'; platform: Platform; isOn: boolean }
  | { set: 'pair'; code: string }
  | { set: 'forget_pairing' }
  /** The host permissions may have changed. */
  | { set: 'check_permissions' };

/** Page → background page. `id` is chosen by the page; the outcome names it. */
export type PeopleOrder =
  | { order: 'act'; id: string; action: PersonAction }
  | { order: 'open_options'; id: string }
  | { order: 'settings'; id: string; change: SettingsOrder }
  | { order: 'diagnostics'; id: string };

/** Background page → page. */
export type PeopleNews =
  | { news: 'view'; view: PeopleView }
  | { news: 'outcome'; id: string; outcome: ActionOutcome }
  | { news: 'diagnostics'; id: string; text: string };

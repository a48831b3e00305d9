/**
 * What people see, and how it is asked for: the messages between the background page and the overlay, the popup and the
 * options page, over one port each. The background page sends a view at the start and at every change. An overlay may ask
 * for actions of a person; approvals are given, and settings changed, from the extension's own pages only.
 */
import type { BridgeSnapshot, ExtensionFrame } from '../schema/contracts/bridge-frames.ts';
import type { Platform } from '../schema/contracts/common.ts';
import type { DELIVERY_OUTCOMES } from '../schema/contracts/renewal.ts';

export const PEOPLE_PORT = 'people';

/**
 * - `unpaired`: no agent is known yet.
 * - `bad_address`: the address of the agent is not one on this machine.
 * - `connecting`, `connected`.
 * - `unreachable`: nothing listens there, or it refuses this extension.
 * - `closed`: the agent has closed the connection.
 * - `unproven`: what listens there could not prove that it is the agent of this browser.
 * - `token_refused`: the agent does not take the token; the browser has to be paired again.
 * - `replaced`: another Firefox has connected under the same id.
 */
export const CONNECTION_STATES = [
  'unpaired',
  'bad_address',
  'connecting',
  'connected',
  'unreachable',
  'closed',
  'unproven',
  'token_refused',
  'replaced',
] as const;
/** The connection to the agent, as the bridge knows it. */
export interface ConnectionNews {
  state: (typeof CONNECTION_STATES)[number];
  /** What the agent said when it closed; null when it said nothing. */
  reason: string | null;
  /** When the next attempt begins, Unix milliseconds; null: none is planned. */
  retryAt: number | null;
}
export interface Connection extends ConnectionNews {
  /** Since when it is in this state, Unix milliseconds. */
  since: number;
  agentUrl: string;
}

/** Something of a site that does not look as it is known: a selector or a part of a response. */
export interface Drift {
  platform: Platform;
  what: string;
  /** The newest time it was seen, Unix milliseconds. */
  at: number;
  count: number;
}

/** A conversation whose answer does not end, and whose page is read or loaded again for that. */
export interface HelpedTurn {
  platform: Platform;
  conversationId: string;
}

/** How a delivery into a tab of this browser ended. */
export interface EndedDelivery {
  platform: Platform;
  /** Null: it was to begin one. */
  conversationId: string | null;
  /** `refused`: nothing was sent, and it is not tried again; `deferred`: nothing was sent yet. */
  outcome: (typeof DELIVERY_OUTCOMES)[number] | 'refused';
  reason: string | null;
  at: number;
}

/** Something that went wrong, as the agent's log has it too; without ids. */
export interface ReportedLine {
  platform: Platform | null;
  /** The conversation that it is about; null: none, or not known. */
  conversationId: string | null;
  text: string;
  at: number;
  count: number;
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
  queue: { messages: number; oldestAt: number | null; isFull: boolean };
  /** Captured messages that failed on their way to the agent each time; kept until the browser starts again. */
  setAside: number;
  drift: readonly Drift[];
  /** Newest first. An overlay gets those of its site that a person has to know. */
  lines: readonly ReportedLine[];
  /** Newest first. */
  deliveries: readonly EndedDelivery[];
  sites: readonly SiteSetting[];
  helped: readonly HelpedTurn[];
  /** Whether Firefox notifies of what waits for a person. */
  notices: boolean;
}

type PageControl = Extract<ExtensionFrame, { type: 'page_control' }>;
/** An action of a person, as the agent takes it. */
export type PersonAction = Omit<PageControl, 'type' | 'request_id'>;
export type ActionOutcome = { ok: true } | { ok: false; code: string; message: string };

/** Changes of settings. They need no agent. */
export type SettingsOrder =
  | { set: 'agent_url'; url: string }
  | { set: 'site'; platform: Platform; isOn: boolean }
  | { set: 'notices'; isOn: boolean }
  | { set: 'pair'; code: string }
  | { set: 'forget_pairing' }
  /** The host permissions may have changed. */
  | { set: 'check_permissions' };

/** Page → background page. `id` is chosen by the page; the outcome names it. */
export type PeopleOrder =
  | { order: 'act'; id: string; action: PersonAction }
  | { order: 'open_options'; id: string }
  /** Nothing more is done about the answer of that conversation that does not end. */
  | { order: 'stop_help'; id: string; platform: Platform; conversation_id: string }
  /** Opens the window in which that instruction can be approved: an overlay cannot approve itself. */
  | { order: 'review_approval'; id: string; instruction_id: string }
  | { order: 'settings'; id: string; change: SettingsOrder }
  | { order: 'diagnostics'; id: string };

export type StopHelp = Omit<Extract<PeopleOrder, { order: 'stop_help' }>, 'id'>;

/** Background page → page. */
export type PeopleNews =
  | { news: 'view'; view: PeopleView }
  | { news: 'outcome'; id: string; outcome: ActionOutcome }
  | { news: 'diagnostics'; id: string; text: string };

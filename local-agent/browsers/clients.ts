/**
 * The state of each browser, and its report to the edge. A state that differs from the last report is stored together
 * with its outbox row; the same state again costs nothing, and mere activity is reported once a minute at most. Browsers
 * that were connected when the agent died are reported as disconnected at its start.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import type { ExtensionFrame } from '../../schema/contracts/bridge-frames.ts';
import type { ClientPutBody, PlatformState, SlotReport, StopReason } from '../../schema/contracts/clients.ts';
import { ClientPutBodySchema, ClientSchema, LOGIN_STATES } from '../../schema/contracts/clients.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { DELIVERY } from '../../schema/defaults.ts';
import type { ErrorCode } from '../../schema/errors.ts';
import type { ResponseHandler } from '../edge/response-handlers.ts';
import { responseHandler } from '../edge/response-handlers.ts';
import type { Clock } from '../lib/clock.ts';
import { Emitter } from '../lib/emitter.ts';
import type { Store } from '../store/store.ts';
import { NODE_STREAM } from '../store/streams.ts';

export type ClientState = Extract<ExtensionFrame, { type: 'browser.client_state' }>;

/** The account that is signed in to a platform, as the page shows it. */
export interface Account {
  platform: Platform;
  /** The container of the browser; absent: the only one that has a login. */
  container?: string | null;
  fingerprint: string | null;
  /** Whether the page is signed out. */
  lost: boolean;
}

/** `urgent`: deliveries leave differently now; else there was only activity. */
export interface PacingChange {
  clientId: string;
  urgent: boolean;
}

/** How deliveries to a browser are paced, which its report contains. Implemented by delivery/pacing.ts. */
export interface BrowserPacing {
  readonly changed: Pick<Emitter<PacingChange>, 'on'>;
  describe(clientId: string, platform: Platform): SlotReport;
  stoppedReason(clientId: string, platform: Platform): StopReason | null;
  /** Inside the caller's transaction. */
  accountsSeen(clientId: string, accounts: readonly Account[]): void;
}

export interface BrowserClientsDeps {
  store: Store;
  nodeId: string;
  clock: Clock;
  pacing: BrowserPacing;
}

const ClientRow = z.object({
  client_id: z.string(),
  body: z.string().transform((text) => ClientPutBodySchema.parse(JSON.parse(text))),
});
const ContextSchema = z.object({ client_id: z.string() });
const PUT_KIND = 'client_put';
const FOREIGN: ErrorCode = 'client_of_other_node';
const UNKNOWN: ClientPutBody = { connected: false, platforms: [], tabs: [] };

/** The part of a state whose change is reported at once: no times of observation, and of the pacing only its stops. */
function reportKey(body: ClientPutBody): string | undefined {
  return canonicalize({
    ...body,
    platforms: body.platforms.map((platform) => ({
      ...platform,
      slots: [platform.slots?.breaker, platform.slots?.stale_sweep_count],
    })),
    tabs: body.tabs.map((tab) => ({ ...tab, observed_at: 0 })),
  });
}

/** With several logins no account is the one of the platform, and each is listed. */
function loginOf(logins: ClientState['logins']): Pick<PlatformState, 'login' | 'fingerprint' | 'accounts'> {
  const [first, ...others] = logins;
  if (first === undefined) return { login: 'stale', fingerprint: null };
  if (others.length === 0) return { login: first.login, fingerprint: first.fingerprint };
  const login = LOGIN_STATES.find((state) => logins.some((one) => one.login === state)) ?? 'stale';
  const accounts = logins.map((one) => ({ login: one.login, fingerprint: one.fingerprint }));
  return { login, fingerprint: null, accounts };
}

function platformStates(platforms: readonly Platform[], frame: ClientState): Omit<PlatformState, 'slots'>[] {
  const named = new Set([...platforms, ...frame.logins.map((login) => login.platform)]);
  return [...named].map((platform) => {
    return {
      platform,
      ...loginOf(frame.logins.filter((login) => login.platform === platform)),
      hooks: frame.request_hooks
        .filter((hook) => hook.platform === platform)
        .map(({ endpoint, captured_at, endpoint_metadata: metadata }) => ({ endpoint, captured_at, metadata })),
      stopped_reason: null,
    };
  });
}

export class BrowserClients {
  /** A browser's state was stored: its snapshot may differ. */
  readonly changed = new Emitter<string>();
  /** The edge has taken a browser's state: its conversations can be found there. */
  readonly reported = new Emitter<string>();
  /** The edge has refused a browser's state: the browser belongs to another node. */
  readonly disowned = new Emitter<string>();
  readonly #deps: BrowserClientsDeps;
  readonly #bodies = new Map<string, ClientPutBody>();
  readonly #save: StatementSync;
  /** Browsers whose activity is reported soon. */
  readonly #reportDue = new Set<string>();

  constructor(deps: BrowserClientsDeps) {
    this.#deps = deps;
    const db: DatabaseSync = deps.store.db;
    this.#save = db.prepare(
      `INSERT INTO browser_clients (client_id, body, updated_at) VALUES (?, ?, ?)
       ON CONFLICT (client_id) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at`,
    );
    for (const found of db.prepare('SELECT client_id, body FROM browser_clients').all()) {
      const row = ClientRow.parse(found);
      this.#bodies.set(row.client_id, row.body);
      this.#report(row.client_id, { ...row.body, connected: false });
    }
    deps.pacing.changed.on((change) => this.#pacingChanged(change));
  }

  get responseHandlers(): Record<typeof PUT_KIND, ResponseHandler> {
    const handler = responseHandler({
      schema: ClientSchema,
      onResponse: (_client, row) => {
        const { client_id: clientId } = ContextSchema.parse(row.context);
        return () => this.reported.emit(clientId);
      },
      onRefusal: ({ code }, row) => {
        const { client_id: clientId } = ContextSchema.parse(row.context);
        return code === FOREIGN ? () => this.disowned.emit(clientId) : undefined;
      },
    });
    return { [PUT_KIND]: handler };
  }

  get(clientId: string): ClientPutBody {
    return this.#bodies.get(clientId) ?? UNKNOWN;
  }

  all(): { client_id: string; body: ClientPutBody }[] {
    return [...this.#bodies].map(([client_id, body]) => ({ client_id, body }));
  }

  /** A browser has said hello. Its last known state counts until it sends a new one. */
  connected(clientId: string): void {
    this.#report(clientId, { ...this.get(clientId), connected: true });
  }

  /** A browser has sent its state. */
  observed(clientId: string, platforms: readonly Platform[], frame: ClientState): void {
    const { store, pacing } = this.#deps;
    const tabs = frame.tabs.map(({ conversation_id: remote_conversation_id, ...tab }) => ({
      ...tab,
      remote_conversation_id,
    }));
    const accounts = frame.logins.map(
      ({ platform, container = null, fingerprint, login }): Account => ({
        platform,
        container,
        fingerprint,
        lost: login === 'lost',
      }),
    );
    store.transaction(() => pacing.accountsSeen(clientId, accounts));
    this.#report(clientId, { connected: true, platforms: platformStates(platforms, frame), tabs });
  }

  /** The edge does not have the last report. */
  reportAgain(clientId: string): void {
    this.#report(clientId, this.get(clientId), 'again');
  }

  disconnected(clientId: string): void {
    this.#report(clientId, { ...this.get(clientId), connected: false });
  }

  #pacingChanged({ clientId, urgent }: PacingChange): void {
    const known = this.#bodies.get(clientId);
    if (known === undefined) return;
    if (urgent) this.#report(clientId, known);
    else this.#reportLater(clientId);
  }

  #reportLater(clientId: string): void {
    if (this.#reportDue.has(clientId)) return;
    this.#reportDue.add(clientId);
    this.#deps.clock.after(DELIVERY.activity_report_ms, () => {
      this.#reportDue.delete(clientId);
      const known = this.#bodies.get(clientId);
      if (known?.connected) this.#report(clientId, known, 'activity');
    });
  }

  #report(clientId: string, state: ClientPutBody, why: 'change' | 'activity' | 'again' = 'change'): void {
    const { store, nodeId, clock, pacing } = this.#deps;
    const before = this.#bodies.get(clientId);
    const platforms = state.platforms.map((known) => ({
      ...known,
      slots: pacing.describe(clientId, known.platform),
      stopped_reason: pacing.stoppedReason(clientId, known.platform),
    }));
    const body: ClientPutBody = { ...state, platforms };
    if (why === 'change' && before !== undefined && reportKey(before) === reportKey(body)) return;
    store.transaction(() => {
      this.#save.run(clientId, JSON.stringify(body), clock.now());
      store.outbox.append({
        stream: NODE_STREAM,
        kind: PUT_KIND,
        method: 'PUT',
        path: `/v1/controllers/${encodeURIComponent(nodeId)}/clients/${encodeURIComponent(clientId)}`,
        body,
        context: { client_id: clientId },
      });
    });
    this.#bodies.set(clientId, body);
    this.changed.emit(clientId);
  }
}

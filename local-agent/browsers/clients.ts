/**
 * What each browser has, and what the edge was told of it. A state that differs is stored together with its outbox row;
 * one that says the same again costs nothing, and mere activity is told once a minute at most. What was connected when
 * the agent died is told as gone at its start.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import type { ExtensionFrame } from '../../schema/contracts/bridge-frames.ts';
import type { ClientPutBody, PlatformState } from '../../schema/contracts/clients.ts';
import { ClientPutBodySchema, ClientSchema } from '../../schema/contracts/clients.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { DELIVERY } from '../../schema/defaults.ts';
import type { Account, Pacing } from '../delivery/pacing.ts';
import type { ResponseHandler } from '../edge/response-handlers.ts';
import { responseHandler } from '../edge/response-handlers.ts';
import type { Clock } from '../lib/clock.ts';
import { Emitter } from '../lib/emitter.ts';
import type { Store } from '../store/store.ts';
import { NODE_STREAM } from '../store/streams.ts';

export type ClientState = Extract<ExtensionFrame, { type: 'browser.client_state' }>;

const ClientRow = z.object({
  client_id: z.string(),
  body: z.string().transform((text) => ClientPutBodySchema.parse(JSON.parse(text))),
});
const ContextSchema = z.object({ client_id: z.string() });
const PUT_KIND = 'client_put';
const NOTHING: ClientPutBody = { connected: false, platforms: [], tabs: [] };

export interface BrowserClientsDeps {
  store: Store;
  nodeId: string;
  clock: Clock;
  /** How deliveries go there, as the edge is told. */
  pacing: Pick<Pacing, 'of' | 'stoppedReason'>;
  /** A browser says who is signed in; what follows for its deliveries is in `pacing` afterwards. */
  onAccounts: (clientId: string, accounts: readonly Account[]) => void;
}

/** What makes a state another one: times of observation and the pacing but for its breaker and its sweeps do not. */
function essence(body: ClientPutBody): string | undefined {
  return canonicalize({
    ...body,
    platforms: body.platforms.map((platform) => ({
      ...platform,
      slots: [platform.slots?.breaker, platform.slots?.stale_sweep_count],
    })),
    tabs: body.tabs.map((tab) => ({ ...tab, observed_at: 0 })),
  });
}

function platformStates(platforms: readonly Platform[], frame: ClientState): Omit<PlatformState, 'slots'>[] {
  const named = new Set([...platforms, ...frame.logins.map((login) => login.platform)]);
  return [...named].map((platform) => {
    const login = frame.logins.find((found) => found.platform === platform);
    return {
      platform,
      login: login?.login ?? 'stale',
      fingerprint: login?.fingerprint ?? null,
      hooks: frame.request_hooks
        .filter((hook) => hook.platform === platform)
        .map(({ endpoint, captured_at, endpoint_metadata: metadata }) => ({ endpoint, captured_at, metadata })),
      stopped_reason: null,
    };
  });
}

export class BrowserClients {
  /** A client's state was stored: what its snapshot shows may differ. */
  readonly changed = new Emitter<string>();
  /** The edge has taken a client's state: its conversations can be found there. */
  readonly taken = new Emitter<string>();
  readonly #deps: BrowserClientsDeps;
  readonly #bodies = new Map<string, ClientPutBody>();
  readonly #save: StatementSync;
  /** Clients whose activity is told soon. */
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
      this.#tell(row.client_id, { ...row.body, connected: false });
    }
  }

  /** What follows when the edge has taken a state. */
  get answers(): Record<typeof PUT_KIND, ResponseHandler> {
    const handler = responseHandler({
      schema: ClientSchema,
      answered: (_client, row) => {
        const { client_id: clientId } = ContextSchema.parse(row.context);
        return () => this.taken.emit(clientId);
      },
    });
    return { [PUT_KIND]: handler };
  }

  of(clientId: string): ClientPutBody {
    return this.#bodies.get(clientId) ?? NOTHING;
  }

  all(): { client_id: string; body: ClientPutBody }[] {
    return [...this.#bodies].map(([client_id, body]) => ({ client_id, body }));
  }

  /** A browser has said hello: it is there, with what was last known of it until it tells more. */
  connected(clientId: string): void {
    this.#tell(clientId, { ...this.of(clientId), connected: true });
  }

  observed(clientId: string, platforms: readonly Platform[], frame: ClientState): void {
    const tabs = frame.tabs.map(({ conversation_id: remote_conversation_id, ...tab }) => ({
      ...tab,
      remote_conversation_id,
    }));
    this.#deps.onAccounts(
      clientId,
      frame.logins.map(({ platform, fingerprint, login }) => ({ platform, fingerprint, lost: login === 'lost' })),
    );
    this.#tell(clientId, { connected: true, platforms: platformStates(platforms, frame), tabs });
  }

  disconnected(clientId: string): void {
    this.#tell(clientId, { ...this.of(clientId), connected: false });
  }

  /** How deliveries go there has changed: told at once when `urgent`, with the next report otherwise. */
  pacingChanged(clientId: string, urgent: boolean): void {
    const known = this.#bodies.get(clientId);
    if (known === undefined) return;
    if (urgent) this.#tell(clientId, known);
    else this.#reportLater(clientId);
  }

  #reportLater(clientId: string): void {
    if (this.#reportDue.has(clientId)) return;
    this.#reportDue.add(clientId);
    this.#deps.clock.after(DELIVERY.activity_report_ms, () => {
      this.#reportDue.delete(clientId);
      const known = this.#bodies.get(clientId);
      if (known?.connected) this.#tell(clientId, known, 'activity');
    });
  }

  #tell(clientId: string, state: ClientPutBody, why: 'change' | 'activity' = 'change'): void {
    const { store, nodeId, clock, pacing } = this.#deps;
    const before = this.#bodies.get(clientId);
    const platforms = state.platforms.map((known) => ({
      ...known,
      slots: pacing.of(clientId, known.platform),
      stopped_reason: pacing.stoppedReason(clientId, known.platform),
    }));
    const body: ClientPutBody = { ...state, platforms };
    if (why === 'change' && before !== undefined && essence(before) === essence(body)) return;
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

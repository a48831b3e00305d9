/**
 * Everything of this host that a browser touches, put together: the local API with the bridge on the same port, pairing,
 * sessions, snapshots, and the delivery manager. `createBridge` listens to nothing and sends nothing until `start`.
 */
import { randomInt } from 'node:crypto';
import type { Logger } from 'pino';
import type { FinalMessage } from '../../schema/contracts/bridge-frames.ts';
import { CLOSE } from '../../schema/contracts/channel-frames.ts';
import type { TargetPayload } from '../../schema/contracts/conversations.ts';
import { BRIDGE, DELIVERY } from '../../schema/defaults.ts';
import { newId } from '../../schema/ids.ts';
import { BrowserClients } from '../browsers/clients.ts';
import { Conversations } from '../browsers/conversations.ts';
import { RecentActivity } from '../browsers/recent-activity.ts';
import { SeenMessages } from '../browsers/seen-messages.ts';
import { Snapshots } from '../browsers/snapshot.ts';
import type { Wanted } from '../browsers/targets.ts';
import { chooseTarget } from '../browsers/targets.ts';
import type { DeliveryCommands } from '../delivery/commands.ts';
import { DeliveryManager } from '../delivery/manager.ts';
import { replyResponses } from '../delivery/replies.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import type { ResponseHandler } from '../edge/response-handlers.ts';
import type { SystemView } from '../edge/system-view.ts';
import type { Clock } from '../lib/clock.ts';
import type { RateLimits } from '../lib/rate-limit.ts';
import { RateLimiter } from '../lib/rate-limit.ts';
import { localRoutes } from '../local-api/routes.ts';
import type { LocalApi } from '../local-api/server.ts';
import { startLocalApi } from '../local-api/server.ts';
import type { Store } from '../store/store.ts';
import { Pairing } from './pairing.ts';
import { SessionRegistry } from './registry.ts';
import { BridgeServer } from './server.ts';
import type { SessionIdentity } from './session.ts';
import { Session } from './session.ts';
import type { BridgeSocket } from './socket.ts';

export interface BridgeDeps {
  store: Store;
  nodeId: string;
  edge: Pick<EdgeClient, 'call'>;
  /** The system mode as the channel tells it. */
  system: SystemView;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Where to listen, `http://127.0.0.1:<port>`; null: nowhere, so no browser either. */
  localApi: string | null;
  /** The node's token: who may use the local API. */
  sharedToken: string | null;
  /** How many messages and executions a snapshot shows. */
  journalLimit: number;
  /** How fast one browser may send; as `BRIDGE` says without. */
  frames?: RateLimits;
  /** The runtime snapshot of `GET /v1/status`. */
  status: () => unknown;
  /** Stores a final message inside the transaction that it is called in; synchronous. */
  onFinalMessage(frame: FinalMessage, ageMs: number): void;
}

export interface Bridge {
  /** Where replies are queued. */
  readonly delivery: DeliveryManager;
  readonly commands: DeliveryCommands;
  /** Handlers of the edge's answers to the outbox rows that are written here, by kind. */
  readonly answers: Readonly<Record<string, ResponseHandler>>;
  /** The channel's `changed {conversations}`. */
  conversationsChanged(ids: readonly string[]): Promise<void>;
  /** The channel is there again: what was missed is read. */
  resync(): Promise<void>;
  /** A message or an execution has changed in SQLite. */
  journalChanged(): void;
  /** Where in the browsers that are connected now a tool would act; null when none has the platform. */
  target(wanted: Wanted): TargetPayload | null;
  /** Browsers, connected or known, for the runtime snapshot. */
  browsers(): BrowserView[];
  /** Listens, and begins to deliver; null without an address. @throws AppError when it is not loopback or is taken. */
  start(): Promise<LocalApi | null>;
  /** Closes every socket and tells the edge, through the outbox, that its browsers are gone. */
  stop(): Promise<void>;
}

export interface BrowserView {
  client_id: string;
  origin: string;
  connected: boolean;
  platforms: string[];
  tabs: number;
}

const MINUTE_SEC = 60;
const FRAMES: RateLimits = { perSec: BRIDGE.max_frames_per_sec, burst: BRIDGE.frames_burst };
const FAILURES: RateLimits = {
  perSec: BRIDGE.auth_failures_per_min / MINUTE_SEC,
  burst: BRIDGE.auth_failures_per_min,
};

class BridgeParts implements Bridge {
  readonly delivery: DeliveryManager;
  readonly commands: Bridge['commands'];
  readonly answers: Bridge['answers'];
  readonly #deps: BridgeDeps;
  readonly #registry = new SessionRegistry();
  readonly #clients: BrowserClients;
  readonly #conversations: Conversations;
  readonly #snapshots: Snapshots;
  readonly #pairing: Pairing;
  readonly #server: BridgeServer;
  readonly #seen: SeenMessages;
  /** Wrong tokens of the local API and the bridge. */
  readonly #failures: RateLimiter;
  #localApi: LocalApi | null = null;

  constructor(deps: BridgeDeps) {
    const { store, nodeId, clock, random, log, edge, system } = deps;
    this.#deps = deps;
    const newRequestId = (): string => newId('request', clock.now());
    this.delivery = new DeliveryManager({
      store,
      nodeId,
      clock,
      random,
      log,
      newRequestId,
      sessions: this.#registry,
      onPacingChange: (clientId, urgent) => this.#clients.pacingChanged(clientId, urgent),
    });
    this.commands = this.delivery.commands;
    this.#clients = new BrowserClients({
      store,
      nodeId,
      clock,
      pacing: this.delivery.pacing,
      onAccounts: (clientId, accounts) => this.delivery.onAccounts(clientId, accounts),
    });
    this.answers = { ...this.#clients.answers, ...replyResponses };
    this.#conversations = new Conversations(edge, log);
    const journal = new RecentActivity(store.db, deps.journalLimit);
    this.#snapshots = new Snapshots({
      system,
      clock,
      journal,
      clients: this.#clients,
      conversations: this.#conversations,
    });
    this.#snapshots.changed.on(() => {
      for (const session of this.#registry.all()) session.pushSnapshot();
    });
    this.#seen = new SeenMessages(store.db);
    this.#pairing = new Pairing({
      store,
      clock,
      newCode: (digits) => String(randomInt(10 ** digits)).padStart(digits, '0'),
    });
    this.#pairing.pinned.on((clientId) => this.#registry.find(clientId)?.close(CLOSE.token, 'paired anew'));
    this.#failures = new RateLimiter(FAILURES, () => clock.monotonic());
    this.#server = new BridgeServer({
      store,
      frames: deps.frames ?? FRAMES,
      failures: this.#failures,
      clock,
      log,
      pairing: this.#pairing,
      newConnectionId: newRequestId,
      onHello: (socket, identity) => this.#onHello(socket, identity),
    });
  }

  conversationsChanged(ids: readonly string[]): Promise<void> {
    return this.#conversations.reread(ids);
  }

  resync(): Promise<void> {
    return this.#conversations.resync();
  }

  journalChanged(): void {
    this.#snapshots.journalChanged();
  }

  target(wanted: Wanted): TargetPayload | null {
    return chooseTarget(this.#clients.all(), wanted, (clientId) => this.#registry.isConnected(clientId));
  }

  browsers(): BrowserView[] {
    return this.#deps.store.pairings.list().map(({ client_id, origin }) => {
      const { platforms, tabs } = this.#clients.of(client_id);
      return {
        client_id,
        origin,
        connected: this.#registry.isConnected(client_id),
        platforms: platforms.map(({ platform }) => platform),
        tabs: tabs.length,
      };
    });
  }

  async start(): Promise<LocalApi | null> {
    const { localApi: address } = this.#deps;
    if (address !== null) this.#localApi = await this.#listen(address);
    this.delivery.start();
    return this.#localApi;
  }

  async stop(): Promise<void> {
    this.#pairing.close();
    this.delivery.stop();
    for (const session of this.#registry.all()) {
      this.#registry.remove(session);
      this.#clients.disconnected(session.clientId);
    }
    this.#server.close();
    await this.#localApi?.close();
  }

  #listen(address: string): Promise<LocalApi> {
    const { sharedToken, log, clock, status } = this.#deps;
    const policy = () => ({ defaults: DELIVERY, targets: this.delivery.targets() });
    const browser = () => ({ clients: this.browsers(), policy: policy() });
    return startLocalApi({
      address,
      sharedToken,
      log,
      failures: this.#failures,
      newRequestId: () => newId('request', clock.now()),
      routes: localRoutes({ pairing: this.#pairing, status, browser }),
      onUpgrade: this.#server.onUpgrade.bind(this.#server),
    });
  }

  #onHello(socket: BridgeSocket, identity: SessionIdentity): void {
    const { store, clock, log, edge, onFinalMessage } = this.#deps;
    const session = new Session(
      {
        store,
        clock,
        log,
        seen: this.#seen,
        clients: this.#clients,
        snapshots: this.#snapshots,
        pageControl: { edge, conversations: this.#conversations },
        events: {
          onFinalMessage,
          onActionResult: (clientId, frame) => this.delivery.onActionResult(clientId, frame),
        },
      },
      socket,
      identity,
    );
    socket.listen({ onFrame: (json) => session.onFrame(json), onClose: () => this.#onClose(session) });
    this.#registry.add(session);
    this.#clients.connected(session.clientId);
    session.greet();
    this.delivery.wake();
    log.info({ client_id: session.clientId }, 'browser connected');
  }

  #onClose(session: Session): void {
    if (!this.#registry.remove(session)) return;
    this.#deps.log.info({ client_id: session.clientId }, 'browser disconnected');
    this.#clients.disconnected(session.clientId);
    this.delivery.onDisconnected(session.clientId);
  }
}

export function createBridge(deps: BridgeDeps): Bridge {
  return new BridgeParts(deps);
}

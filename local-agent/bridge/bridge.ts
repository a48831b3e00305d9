/**
 * The bridge to the browsers of this node: pairing, and one session for each connected browser. It accepts nothing until
 * the local API hands it upgrades.
 */
import { randomInt } from 'node:crypto';
import { CLOSE } from '../../schema/contracts/channel-frames.ts';
import type { ConnectedBrowsers } from '../browsers/connected-browsers.ts';
import type { LogLimit } from '../lib/log-limit.ts';
import { printedCommand } from '../lib/printed-command.ts';
import type { RateLimiter, RateLimits } from '../lib/rate-limit.ts';
import { confirmToken } from './confirm-token.ts';
import { Pairing } from './pairing.ts';
import { BridgeServer } from './server.ts';
import type { SessionDeps, SessionIdentity } from './session.ts';
import { Session } from './session.ts';
import type { BridgeSocket } from './socket.ts';
import { TokenWatch } from './token-watch.ts';

export interface BridgeDeps extends SessionDeps {
  connected: ConnectedBrowsers;
  /** How fast one browser may send. */
  frameLimits: RateLimits;
  /** Failed authentications, shared with the local API. */
  failures: RateLimiter;
  /** Lines about refused peers, shared with the local API. */
  refusals: LogLimit;
  newConnectionId: () => string;
  /** The environment of the process, which says how a person runs this program. */
  env: Readonly<Record<string, string | undefined>>;
}

export class Bridge {
  readonly pairing: Pairing;
  readonly tokens: TokenWatch;
  /** Takes over a WebSocket upgrade. @throws AppError when it is refused. */
  readonly onUpgrade: BridgeServer['onUpgrade'];
  readonly #deps: BridgeDeps;
  readonly #server: BridgeServer;

  constructor(deps: BridgeDeps) {
    this.#deps = deps;
    const { store, clock, connected, edge } = deps;
    const pairCommand = printedCommand(deps.env, 'pair');
    const newCode = (digits: number) => String(randomInt(10 ** digits)).padStart(digits, '0');
    const confirm = (clientId: string, token: string) => confirmToken({ edge, pairCommand }, clientId, token);
    this.pairing = new Pairing({ store, clock, newCode, pairCommand, confirmToken: confirm });
    this.pairing.pinned.on((clientId) => connected.close(clientId, CLOSE.token, 'this browser was paired again'));
    this.tokens = new TokenWatch(deps);
    this.tokens.start();
    this.#server = new BridgeServer({
      ...deps,
      pairing: this.pairing,
      onHello: (socket, identity) => this.#openSession(socket, identity),
    });
    this.onUpgrade = this.#server.onUpgrade.bind(this.#server);
  }

  /** Closes every socket, and reports through the outbox that its browsers are disconnected. */
  stop(): void {
    const { connected, clients, snapshots } = this.#deps;
    snapshots.stop();
    this.tokens.stop();
    this.pairing.close();
    for (const session of connected.all()) {
      connected.remove(session);
      clients.disconnected(session.clientId);
    }
    this.#server.close();
  }

  #openSession(socket: BridgeSocket, identity: SessionIdentity): void {
    const { log, connected, clients, delivery } = this.#deps;
    const { clientId } = identity;
    const session = new Session(this.#deps, socket, identity);
    socket.listen({ onFrame: (json) => session.onFrame(json), onClose: () => this.#closeSession(session) });
    connected.add(session);
    clients.connected(clientId);
    session.greet();
    delivery.onConnected();
    log.info({ client_id: clientId }, 'browser connected');
    void this.tokens.check(clientId);
  }

  #closeSession(session: Session): void {
    const { log, connected, clients, delivery } = this.#deps;
    const { clientId } = session;
    session.onClose();
    if (!connected.remove(session)) return;
    log.info({ client_id: clientId }, 'browser disconnected');
    clients.disconnected(clientId);
    delivery.onDisconnected(clientId);
  }
}

/**
 * WebSocket endpoint for browser extensions, `/ws/firefox`. Upgrades are accepted from paired origins (exact match) and,
 * during a pairing window, from unpaired extension origins, which may only send `pair`. Every other origin gets a 403
 * before the upgrade. The first frame must identify the browser within five seconds; else the socket is closed with 4400
 * (malformed), 4401 (wrong token or code), 4408 (too late) or 4429 (too many wrong tokens).
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { ExtensionFrame } from '../../schema/contracts/bridge-frames.ts';
import { ExtensionFrameSchema, ORIGIN_PATTERN } from '../../schema/contracts/bridge-frames.ts';
import { CLOSE } from '../../schema/contracts/channel-frames.ts';
import { BRIDGE } from '../../schema/defaults.ts';
import { AppError } from '../../schema/errors.ts';
import type { Clock } from '../lib/clock.ts';
import { sha256Hex } from '../lib/hash.ts';
import type { RateLimiter, RateLimits } from '../lib/rate-limit.ts';
import { sameDigest } from '../lib/secrets.ts';
import type { Store } from '../store/store.ts';
import type { Claimant, Pairing } from './pairing.ts';
import type { SessionIdentity } from './session.ts';
import { BridgeSocket } from './socket.ts';

type Hello = Extract<ExtensionFrame, { type: 'hello' }>;
type Pair = Extract<ExtensionFrame, { type: 'pair' }>;

export const BRIDGE_PATH = '/ws/firefox';
/** RFC 6455: the connection has served its purpose. */
const NORMAL_CLOSE = 1000;
const GOING_AWAY = 1001;
const CLOSE_WAIT_MS = 1_000;

export interface BridgeServerDeps {
  store: Pick<Store, 'pairings'>;
  pairing: Pairing;
  clock: Clock;
  newConnectionId: () => string;
  /** How fast a browser may send. */
  frameLimits: RateLimits;
  /** Failed authentications, shared with the local API. */
  failures: RateLimiter;
  log: Pick<Logger, 'warn'>;
  /** A browser has authenticated. The callee listens to the socket from now on. */
  onHello(socket: BridgeSocket, identity: SessionIdentity): void;
}

export class BridgeServer {
  readonly #deps: BridgeServerDeps;
  readonly #wss = new WebSocketServer({ noServer: true, maxPayload: BRIDGE.max_frame_bytes, clientTracking: true });
  /** Open sockets of unpaired origins. */
  #unpairedSockets = 0;

  constructor(deps: BridgeServerDeps) {
    this.#deps = deps;
  }

  /** @throws AppError before the upgrade, when this origin may not connect. */
  onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer, url: URL): void {
    if (url.pathname !== BRIDGE_PATH) throw new AppError('not_found', `there is no WebSocket at ${url.pathname}`);
    const { origin } = request.headers;
    const isPaired = this.#authorizeOrigin(origin);
    this.#wss.handleUpgrade(request, socket, head, (ws) => this.#accept(ws, origin ?? '', isPaired));
  }

  /** Closes every socket; terminates those that have not closed after a second. */
  close(): void {
    const { clock } = this.#deps;
    for (const ws of this.#wss.clients) {
      ws.close(GOING_AWAY, 'the agent stops');
      ws.once(
        'close',
        clock.after(CLOSE_WAIT_MS, () => ws.terminate()),
      );
    }
    this.#wss.close();
  }

  /** True for a paired origin, false for one that may only pair. @throws AppError */
  #authorizeOrigin(origin: string | undefined): boolean {
    if (origin === undefined) throw new AppError('forbidden', 'a connection needs an Origin header');
    if (this.#deps.store.pairings.isPinnedOrigin(origin)) return true;
    if (!ORIGIN_PATTERN.test(origin)) throw new AppError('forbidden', 'this Origin is not a paired extension');
    if (!this.#deps.pairing.accepts)
      throw new AppError('forbidden', 'this extension is not paired; run: conductor pair');
    if (this.#unpairedSockets >= BRIDGE.pairing_sockets)
      throw new AppError('forbidden', 'too many extensions are waiting to be paired');
    return false;
  }

  #accept(ws: WebSocket, origin: string, isPaired: boolean): void {
    const { clock, log, frameLimits } = this.#deps;
    const socket = new BridgeSocket(ws, clock, log, frameLimits);
    if (!isPaired) {
      this.#unpairedSockets += 1;
      ws.once('close', () => {
        this.#unpairedSockets -= 1;
      });
    }
    const cancelTimeout = clock.after(BRIDGE.hello_timeout_ms, () => socket.close(CLOSE.no_hello, 'no hello in time'));
    socket.listen({
      onFrame: (json) => {
        cancelTimeout();
        this.#onFirstFrame(socket, origin, json);
      },
      onClose: cancelTimeout,
    });
  }

  #onFirstFrame(socket: BridgeSocket, origin: string, json: unknown): void {
    const parsed = ExtensionFrameSchema.safeParse(json);
    if (parsed.success && parsed.data.type === 'hello') this.#hello(socket, origin, parsed.data);
    else if (parsed.success && parsed.data.type === 'pair') this.#pair(socket, origin, parsed.data);
    else socket.close(CLOSE.malformed, 'the first frame must be hello or pair');
  }

  #hello(socket: BridgeSocket, origin: string, hello: Hello): void {
    const { store, newConnectionId, log, failures, onHello } = this.#deps;
    const pinned = store.pairings.find(hello.client_id);
    if (pinned?.origin !== origin || !sameDigest(sha256Hex(hello.token), pinned.token_hash)) {
      log.warn({ client_id: hello.client_id, origin }, 'a browser sent a wrong token');
      if (failures.take()) socket.close(CLOSE.token, 'this is not the token of that browser');
      else socket.close(CLOSE.too_fast, 'too many wrong tokens; wait a minute');
      return;
    }
    onHello(socket, {
      clientId: hello.client_id,
      connectionId: newConnectionId(),
      platforms: hello.platforms,
      token: hello.token,
    });
  }

  #pair(socket: BridgeSocket, origin: string, { code, client_id: clientId }: Pair): void {
    const { pairing, log } = this.#deps;
    const claimant: Claimant = {
      origin,
      paired(token) {
        unsubscribe();
        socket.send({ type: 'paired', token });
        socket.close(NORMAL_CLOSE, 'paired; connect again with hello');
      },
    };
    if (!pairing.claim(code, clientId, claimant)) {
      log.warn({ client_id: clientId, origin }, 'a browser sent a wrong pairing code');
      socket.send({ type: 'error', re: null, code: 'forbidden', message: 'the code is wrong, used, or expired' });
      socket.close(CLOSE.token, 'pairing refused');
      return;
    }
    const unsubscribe = pairing.changed.on((state) => {
      if (state === 'closed') socket.close(CLOSE.no_hello, 'the pairing window has closed');
    });
    socket.listen({
      onFrame: () => socket.close(CLOSE.malformed, 'no frame may come before paired'),
      onClose: () => {
        unsubscribe();
        pairing.abandon(claimant);
      },
    });
  }
}

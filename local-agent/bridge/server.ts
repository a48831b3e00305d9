/**
 * WebSocket endpoint for browser extensions, `/ws/firefox`. Upgrades are accepted from paired origins (exact match) and,
 * during a pairing window, from unpaired extension origins, which may only send `pair`. Every other origin gets a 403
 * before the upgrade. The browser must have proved itself (greeting.ts) within five seconds; else the socket is closed with
 * 4400 (malformed), 4401 (wrong proof, token or code), 4408 (too late) or 4429 (too many wrong ones).
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
import type { LogLimit } from '../lib/log-limit.ts';
import { cutForeign } from '../lib/log-limit.ts';
import type { RateLimiter, RateLimits } from '../lib/rate-limit.ts';
import type { Store } from '../store/store.ts';
import type { Peer } from './greeting.ts';
import { Greeting } from './greeting.ts';
import type { Claimant, Pairing } from './pairing.ts';
import type { SessionIdentity } from './session.ts';
import { BridgeSocket } from './socket.ts';

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
  /** Lines about refused peers, shared with the local API. */
  refusals: LogLimit;
  log: Pick<Logger, 'warn'>;
  /** A browser has authenticated. The callee listens to the socket from now on. */
  onHello(socket: BridgeSocket, identity: SessionIdentity): void;
}

export class BridgeServer {
  readonly #deps: BridgeServerDeps;
  readonly #greeting: Greeting;
  readonly #wss = new WebSocketServer({ noServer: true, maxPayload: BRIDGE.max_frame_bytes, clientTracking: true });
  /** Sockets of unpaired origins that have not claimed the pairing window, oldest first. */
  readonly #unpaired = new Set<BridgeSocket>();

  constructor(deps: BridgeServerDeps) {
    this.#deps = deps;
    this.#greeting = new Greeting({ ...deps, logRefusal: (...of) => this.#logRefusal(...of) });
  }

  /**
   * `admit` is called when the peer has proved itself, by its token or its pairing code.
   *
   * @throws AppError before the upgrade, when this origin may not connect.
   */
  onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer, url: URL, admit: () => void): void {
    if (url.pathname !== BRIDGE_PATH) throw new AppError('not_found', `there is no WebSocket at ${url.pathname}`);
    const { origin } = request.headers;
    const isPaired = this.#authorizeOrigin(origin);
    const peer = { origin: origin ?? '', port: socket.localPort ?? 0, isPaired, admit };
    this.#wss.handleUpgrade(request, socket, head, (ws) => this.#accept(ws, peer));
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
    const refusal = this.#deps.pairing.refusal(origin);
    if (refusal !== null) throw new AppError('forbidden', refusal);
    return false;
  }

  #accept(ws: WebSocket, peer: Peer): void {
    const { clock, log, frameLimits, refusals } = this.#deps;
    const warn = (fields: object, message: string) =>
      refusals.write((left_out) => log.warn({ ...fields, left_out }, message));
    const socket = new BridgeSocket(ws, clock, warn, frameLimits);
    if (!peer.isPaired) this.#addUnpaired(socket, ws);
    const cancelTimeout = clock.after(BRIDGE.hello_timeout_ms, () => socket.close(CLOSE.no_hello, 'no hello in time'));
    socket.listen({
      onFrame: (json) => this.#onFirstFrame(socket, peer, json, cancelTimeout),
      onClose: cancelTimeout,
    });
  }

  #addUnpaired(socket: BridgeSocket, ws: WebSocket): void {
    this.#unpaired.add(socket);
    ws.once('close', () => this.#unpaired.delete(socket));
    if (this.#unpaired.size <= BRIDGE.pairing_sockets) return;
    const [oldest] = this.#unpaired;
    if (oldest === undefined) return;
    this.#unpaired.delete(oldest);
    oldest.close(CLOSE.too_fast, 'too many extensions are waiting to be paired');
  }

  #logRefusal(clientId: string, origin: string, message: string): void {
    const { log, refusals } = this.#deps;
    const fields = { client_id: cutForeign(clientId), origin: cutForeign(origin) };
    refusals.write((left_out) => log.warn({ ...fields, left_out }, message));
  }

  #onFirstFrame(socket: BridgeSocket, peer: Peer, json: unknown, cancelTimeout: () => void): void {
    const { data: frame } = ExtensionFrameSchema.safeParse(json);
    // After a challenge the time runs on, until the hello.
    if (frame?.type === 'challenge') {
      this.#greeting.onChallenge(socket, peer, frame, cancelTimeout);
      return;
    }
    cancelTimeout();
    if (frame?.type === 'hello' && frame.token !== undefined) this.#greeting.onTokenHello(socket, peer, frame);
    else if (frame?.type === 'pair') this.#pair(socket, peer, frame);
    else socket.close(CLOSE.malformed, 'the first frame must be challenge, pair, or hello with token');
  }

  #pair(socket: BridgeSocket, { origin, admit }: Peer, { code, client_id: clientId }: Pair): void {
    const { pairing } = this.#deps;
    const claimant: Claimant = {
      origin,
      paired(token) {
        unsubscribe();
        socket.send({ type: 'paired', token });
        socket.close(NORMAL_CLOSE, 'paired; connect again with hello');
      },
    };
    if (!pairing.claim(code, clientId, claimant)) {
      this.#logRefusal(clientId, origin, 'a browser sent a wrong pairing code');
      const message = pairing.refusal(origin) ?? 'the code is wrong; type it again';
      socket.send({ type: 'error', re: null, code: 'forbidden', message });
      socket.close(CLOSE.token, 'pairing refused');
      return;
    }
    admit();
    this.#unpaired.delete(socket);
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

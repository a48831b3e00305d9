/**
 * The door for browsers: `/ws/firefox`. Upgraded is only an origin that is pinned exactly, or, while a pairing window is
 * open, a well-formed extension origin that may then send nothing but `pair`; everybody else gets a 403 before the
 * upgrade. The first frame decides within five seconds who it is: 4400 malformed, 4401 token or code, 4408 too late,
 * 4429 too many wrong tokens.
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
/** The WebSocket protocol's own code for an end that is as it should be. */
const NORMAL_CLOSE = 1000;
const GOING_AWAY = 1001;
const CLOSE_WAIT_MS = 1_000;

export interface BridgeServerDeps {
  store: Pick<Store, 'pairings'>;
  pairing: Pairing;
  clock: Clock;
  newConnectionId: () => string;
  /** How fast a browser may send. */
  frames: RateLimits;
  /** Wrong tokens, counted together with those of the local API. */
  failures: RateLimiter;
  log: Pick<Logger, 'info' | 'warn'>;
  /** A browser has proved who it is; its socket is the session's from now on. */
  onHello(socket: BridgeSocket, identity: SessionIdentity): void;
}

export class BridgeServer {
  readonly #deps: BridgeServerDeps;
  readonly #wss = new WebSocketServer({ noServer: true, maxPayload: BRIDGE.max_frame_bytes, clientTracking: true });
  /** Sockets of unpinned origins. */
  #strangers = 0;

  constructor(deps: BridgeServerDeps) {
    this.#deps = deps;
  }

  /** @throws AppError when this origin may not connect, before anything is upgraded. */
  onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer, url: URL): void {
    if (url.pathname !== BRIDGE_PATH) throw new AppError('not_found', `there is no WebSocket at ${url.pathname}`);
    const { origin } = request.headers;
    const isPinned = this.#judgeOrigin(origin);
    this.#wss.handleUpgrade(request, socket, head, (ws) => this.#accept(ws, origin ?? '', isPinned));
  }

  /** Closes every socket, one that does not answer after a second. */
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

  /** True when it is pinned, false when it may only pair. */
  #judgeOrigin(origin: string | undefined): boolean {
    if (origin === undefined) throw new AppError('forbidden', 'a connection without an Origin is refused');
    if (this.#deps.store.pairings.isPinnedOrigin(origin)) return true;
    if (!ORIGIN_PATTERN.test(origin)) throw new AppError('forbidden', 'this Origin is not a paired extension');
    if (!this.#deps.pairing.accepts)
      throw new AppError('forbidden', 'this extension is not paired; run: conductor pair');
    if (this.#strangers >= BRIDGE.pairing_sockets)
      throw new AppError('forbidden', 'too many extensions wait to be paired');
    return false;
  }

  #accept(ws: WebSocket, origin: string, isPinned: boolean): void {
    const { clock, log, frames } = this.#deps;
    const socket = new BridgeSocket(ws, clock, log, frames);
    if (!isPinned) {
      this.#strangers += 1;
      ws.once('close', () => {
        this.#strangers -= 1;
      });
    }
    const cancelTimeout = clock.after(BRIDGE.hello_timeout_ms, () => socket.close(CLOSE.no_hello, 'no hello in time'));
    socket.listen({
      onFrame: (json) => {
        cancelTimeout();
        this.#first(socket, origin, json);
      },
      onClose: cancelTimeout,
    });
  }

  #first(socket: BridgeSocket, origin: string, json: unknown): void {
    const parsed = ExtensionFrameSchema.safeParse(json);
    if (parsed.success && parsed.data.type === 'hello') this.#hello(socket, origin, parsed.data);
    else if (parsed.success && parsed.data.type === 'pair') this.#pair(socket, origin, parsed.data);
    else socket.close(CLOSE.malformed, 'the first frame must be hello or pair');
  }

  #hello(socket: BridgeSocket, origin: string, hello: Hello): void {
    const { store, newConnectionId, log, failures, onHello } = this.#deps;
    const pinned = store.pairings.find(hello.client_id);
    if (pinned?.origin !== origin || !sameDigest(sha256Hex(hello.token), pinned.token_hash)) {
      log.warn({ client_id: hello.client_id, origin }, 'a browser with a wrong token');
      if (failures.take()) socket.close(CLOSE.token, 'this token is not that client’s');
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
        off();
        socket.send({ type: 'paired', token });
        socket.close(NORMAL_CLOSE, 'paired: connect again with hello');
      },
    };
    if (!pairing.claim(code, clientId, claimant)) {
      log.warn({ client_id: clientId, origin }, 'a wrong pairing code');
      socket.send({ type: 'error', re: null, code: 'forbidden', message: 'the code is wrong, used, or too old' });
      socket.close(CLOSE.token, 'pairing refused');
      return;
    }
    const off = pairing.changed.on((state) => {
      if (state === 'closed') socket.close(CLOSE.no_hello, 'the pairing window has closed');
    });
    socket.listen({
      onFrame: () => socket.close(CLOSE.malformed, 'nothing is expected before paired'),
      onClose: () => {
        off();
        pairing.abandoned(claimant);
      },
    });
  }
}

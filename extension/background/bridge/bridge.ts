/**
 * The connection to the agent. There is one socket at a time. It is opened again after waits that grow up to 15 s, so that
 * it is back within 30 s of an agent's restart; a close code can ask for a longer wait or, of an agent that has proved
 * itself, for a person.
 */
import type { AgentBridgeFrame, ExtensionFrame } from '../../../schema/contracts/bridge-frames.ts';
import { AgentBridgeFrameSchema } from '../../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../../schema/contracts/common.ts';
import { backoffMs } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import { Emitter } from '../../lib/emitter.ts';
import { bridgeUrl } from '../../lib/settings.ts';
import type { Peer } from './close-codes.ts';
import { UNPROVEN, verdictOf } from './close-codes.ts';
import { Handshake } from './handshake.ts';
import type { Pairing } from './pairing.ts';
import type { OpenSocket, Socket } from './socket.ts';
import type { BridgeStatus } from './status.ts';

const RETRY = { firstMs: 500, maxMs: 15_000 };
/** How long the agent may take to greet. */
const GREETING_MS = 10_000;

function parsed(data: unknown): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return undefined;
  }
}

export interface BridgeDeps {
  openSocket: OpenSocket;
  clock: Clock;
  random: () => number;
  readPairing: () => Promise<Pairing | null>;
  /** The browser's name and version, for people. */
  browserName: () => Promise<string>;
  extensionVersion: string;
  /** `moz-extension://<uuid>` of this extension. */
  origin: string;
  platforms: readonly Platform[];
  report: (what: string) => void;
}

export class Bridge {
  /** Frames of the agent, after its greeting; the greeting included. */
  readonly frames = new Emitter<AgentBridgeFrame>();
  readonly statusChanged = new Emitter<BridgeStatus>();
  readonly #deps: BridgeDeps;
  #status: BridgeStatus = { state: 'connecting', reason: null, retryAt: null };
  #socket: Socket | null = null;
  /** Grows with each attempt; what an older attempt does counts no more. */
  #attempt = 0;
  #failures = 0;
  #clientId: string | null = null;
  #connectionId: string | null = null;
  #agentUrl: string | null = null;
  #cancelTimer: () => void = () => undefined;

  constructor(deps: BridgeDeps) {
    this.#deps = deps;
  }

  get status(): BridgeStatus {
    return this.#status;
  }

  /** The id under which the agent knows this browser; null while it is not connected. */
  get clientId(): string | null {
    return this.#status.state === 'connected' ? this.#clientId : null;
  }

  /** The agent's name of this connection; null while it is not connected. */
  get connectionId(): string | null {
    return this.#status.state === 'connected' ? this.#connectionId : null;
  }

  /** The address of the agent of the pairing; null without one. */
  get agentUrl(): string | null {
    return this.#agentUrl;
  }

  /** Connects now, with the pairing as it is stored now. An open connection is replaced. */
  async connect(): Promise<void> {
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.#leave();
    const pairing = await this.#deps.readPairing().catch(() => null);
    const browser = await this.#deps.browserName().catch(() => 'Firefox');
    if (attempt !== this.#attempt) return;
    this.#agentUrl = pairing?.agent_url ?? null;
    if (pairing === null) {
      this.#set('unpaired', null);
      return;
    }
    const url = bridgeUrl(pairing.agent_url);
    if (url === null) {
      this.#set('bad_address', pairing.agent_url);
      return;
    }
    this.#set('connecting', null);
    this.#open(url, pairing, browser, attempt);
  }

  /** Connects if a wait is over that a suspended timer has missed. */
  async wake(): Promise<void> {
    const { retryAt } = this.#status;
    if (retryAt !== null && retryAt <= this.#deps.clock.now()) await this.connect();
  }

  /** Sends a frame; false when the agent is not connected. */
  send(frame: ExtensionFrame): boolean {
    if (this.#status.state !== 'connected' || this.#socket === null) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  #open(url: string, pairing: Pairing, browser: string, attempt: number): void {
    const { openSocket, clock, extensionVersion: extension_version, origin, platforms } = this.#deps;
    const hello = { browser, extension_version, platforms: [...platforms] };
    const handshake = new Handshake({ pairing, origin, hello });
    const peer: Peer = { wasOpen: false, isProved: false };
    const socket = openSocket(url);
    this.#socket = socket;
    this.#cancelTimer = clock.after(GREETING_MS, () => this.#lost(attempt, 1006, 'no greeting', peer));
    socket.listen({
      onOpen: () => {
        peer.wasOpen = true;
        socket.send(JSON.stringify(handshake.challenge));
      },
      onMessage: (data) => {
        if (peer.isProved) this.#receive(data, pairing.client_id);
        else void this.#greet(socket, handshake, data, peer, attempt);
      },
      onClose: (code, reason) => this.#lost(attempt, code, reason, peer),
    });
  }

  /** Never rejects. */
  async #greet(socket: Socket, handshake: Handshake, data: unknown, peer: Peer, attempt: number): Promise<void> {
    const hello = await handshake.hello(parsed(data)).catch(() => null);
    if (attempt !== this.#attempt) return;
    if (hello === null) {
      this.#lost(attempt, UNPROVEN, '', peer);
      return;
    }
    peer.isProved = true;
    socket.send(JSON.stringify(hello));
  }

  #receive(data: unknown, clientId: string): void {
    const frame = this.#parse(data);
    if (frame === null) return;
    if (frame.type === 'hello_ack') {
      this.#cancelTimer();
      this.#failures = 0;
      this.#clientId = clientId;
      this.#connectionId = frame.connection_id;
      this.#set('connected', null);
    }
    this.frames.emit(frame);
  }

  /** A frame that a newer agent may have added breaks nothing. */
  #parse(data: unknown): AgentBridgeFrame | null {
    const { data: frame } = AgentBridgeFrameSchema.safeParse(parsed(data));
    if (frame !== undefined) return frame;
    this.#deps.report('unknown_frame');
    return null;
  }

  #lost(attempt: number, code: number, reason: string, peer: Peer): void {
    if (attempt !== this.#attempt) return;
    this.#attempt += 1;
    this.#leave();
    const { state, minWaitMs } = verdictOf(code, peer);
    const said = reason === '' ? null : reason.slice(0, 200);
    if (minWaitMs === null) {
      this.#set(state, said);
      return;
    }
    const waitMs = Math.max(minWaitMs, backoffMs(this.#failures, RETRY, this.#deps.random()));
    this.#failures += 1;
    this.#set(state, said, this.#deps.clock.now() + waitMs);
    this.#cancelTimer = this.#deps.clock.after(waitMs, () => void this.connect());
  }

  #leave(): void {
    this.#cancelTimer();
    const socket = this.#socket;
    this.#socket = null;
    socket?.listen(null);
    socket?.close();
  }

  #set(state: BridgeStatus['state'], reason: string | null, retryAt: number | null = null): void {
    this.#status = { state, reason, retryAt };
    this.statusChanged.emit(this.#status);
  }
}

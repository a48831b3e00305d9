/**
 * The connection of one paired browser, from its hello to its close. A frame that cannot be read gets an `error` and
 * breaks nothing. A final message is acknowledged only after it is on disk; a repeat is acknowledged again and not stored
 * again. Frames are handled in the order in which they arrive.
 */
import type { Logger } from 'pino';
import type {
  ActionResult,
  AgentBridgeFrame,
  ExtensionFrame,
  FinalMessage,
} from '../../schema/contracts/bridge-frames.ts';
import { ExtensionFrameSchema } from '../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { checkValue, firstIssueText } from '../../schema/contracts/issues.ts';
import { AppError } from '../../schema/errors.ts';
import type { BrowserClients } from '../browsers/clients.ts';
import type { BrowserConnection } from '../browsers/connected-browsers.ts';
import type { SeenMessages } from '../browsers/seen-messages.ts';
import type { Snapshots } from '../browsers/snapshot.ts';
import { snapshotKey } from '../browsers/snapshot.ts';
import type { Clock } from '../lib/clock.ts';
import { DISK_FAULT_ADVICE, isDiskFault } from '../lib/errno.ts';
import type { Store } from '../store/store.ts';
import type { PageControl, PageControlDeps } from './page-control.ts';
import { doPageControl } from './page-control.ts';
import type { BridgeSocket } from './socket.ts';

/** Takes final messages. Implemented by the instructions of this node. */
export interface MessageSink {
  /**
   * Does what takes time about a message. The result stores it for the edge, inside the caller's transaction and
   * synchronously. When it throws, the message is not acknowledged. `ageMs` is how long ago the browser observed it.
   */
  prepare(frame: FinalMessage): StoreMessage | Promise<StoreMessage>;
}

type StoreMessage = (ageMs: number) => void;

/** Takes what becomes of deliveries and their browsers. Implemented by the delivery manager. */
export interface DeliveryEvents {
  onConnected(): void;
  onDisconnected(clientId: string): void;
  onActionResult(clientId: string, frame: ActionResult): void;
  /** The page of that conversation can be used again. */
  onComposerFree(clientId: string, conversation: { platform: Platform; conversation_id: string }): void;
}

export interface SessionDeps extends PageControlDeps {
  store: Store;
  clock: Clock;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
  clients: BrowserClients;
  seen: SeenMessages;
  snapshots: Snapshots;
  messages: MessageSink;
  delivery: DeliveryEvents;
}

export interface SessionIdentity {
  clientId: string;
  connectionId: string;
  platforms: readonly Platform[];
  /** The browser's own token: requests that a person makes in it are sent to the edge under it. */
  token: string;
  extensionVersion?: string;
}

function requestId(json: unknown): string | null {
  const id = typeof json === 'object' && json !== null && 'request_id' in json ? json.request_id : null;
  return typeof id === 'string' ? id.slice(0, 128) : null;
}

function isFinalMessage(json: unknown): boolean {
  return typeof json === 'object' && json !== null && 'type' in json && json.type === 'browser.final_message';
}

function expectedError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (!isDiskFault(error)) return new AppError('internal', 'something went wrong in the agent');
  return new AppError('internal', `the disk of this node is full, so nothing was stored: ${DISK_FAULT_ADVICE}`);
}

export class Session implements BrowserConnection {
  readonly clientId: string;
  readonly token: string;
  readonly extensionVersion: string | undefined;
  readonly #deps: SessionDeps;
  readonly #socket: BridgeSocket;
  readonly #identity: SessionIdentity;
  /** Key of the snapshot that the browser has. */
  #snapshotKey: string | undefined;
  readonly #unsubscribe: () => void;
  /** Ends when the message that is being prepared is stored; the frames behind it wait. */
  #preparing: Promise<void> | null = null;

  constructor(deps: SessionDeps, socket: BridgeSocket, identity: SessionIdentity) {
    this.#deps = deps;
    this.#socket = socket;
    this.#identity = identity;
    this.clientId = identity.clientId;
    this.token = identity.token;
    this.extensionVersion = identity.extensionVersion;
    this.#unsubscribe = deps.snapshots.changed.on(() => this.#pushSnapshot());
  }

  /** Responds to the hello. */
  greet(): void {
    const snapshot = this.#deps.snapshots.take(this.clientId);
    this.#snapshotKey = snapshotKey(snapshot);
    this.send({ type: 'hello_ack', connection_id: this.#identity.connectionId, snapshot });
  }

  send(frame: AgentBridgeFrame): boolean {
    return this.#socket.send(frame);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  /** The socket has closed. */
  onClose(): void {
    this.#unsubscribe();
  }

  /** Handles frames in their order. How many wait behind a message is limited by how fast a browser may send. */
  onFrame(json: unknown): void {
    if (this.#preparing === null) this.#takeFrame(json);
    else void this.#preparing.then(() => this.onFrame(json));
  }

  #takeFrame(json: unknown): void {
    const parsed = checkValue(ExtensionFrameSchema, json);
    const re = requestId(json);
    if (!parsed.success) {
      if (isFinalMessage(json)) this.#refuseForGood(re, 'invalid_request');
      this.#refuse(re, 'invalid_request', firstIssueText(parsed.error, 'frame'));
      return;
    }
    try {
      this.#handle(parsed.data);
    } catch (error) {
      this.#failed(re, error, isFinalMessage(json));
    }
  }

  #failed(re: string | null, error: unknown, isMessage: boolean): void {
    const expected = expectedError(error);
    if (expected !== error) this.#deps.log.error({ err: error, client_id: this.clientId }, 'a bridge frame failed');
    if (isMessage && expected.code !== 'internal') this.#refuseForGood(re, expected.code);
    this.#refuse(re, expected.code, expected.message);
  }

  #handle(frame: ExtensionFrame): void {
    const { clients, delivery, log } = this.#deps;
    switch (frame.type) {
      case 'browser.final_message':
        this.#takeFinalMessage(frame);
        break;
      case 'browser.client_state':
        clients.observed(this.clientId, this.#identity.platforms, frame);
        this.#acknowledge(frame.request_id);
        break;
      case 'browser.action_result':
        delivery.onActionResult(this.clientId, frame);
        break;
      case 'browser.composer_free':
        delivery.onComposerFree(this.clientId, frame);
        break;
      case 'page_control':
        void this.#pageControl(frame);
        break;
      case 'diagnostic':
        log.info({ client_id: this.clientId, level: frame.level, text: frame.message }, 'browser diagnostic');
        if (frame.request_id !== undefined) this.#acknowledge(frame.request_id);
        break;
      case 'challenge':
      case 'hello':
      case 'pair':
        throw new AppError('invalid_request', `${frame.type} may only come at the beginning of a connection`);
      default:
        frame satisfies never;
    }
  }

  #takeFinalMessage(frame: FinalMessage): void {
    if (frame.client_id !== this.clientId) throw new AppError('not_owner', 'client_id is not that of this connection');
    const { seen, messages } = this.#deps;
    if (seen.has(this.clientId, frame.request_id)) {
      this.#acknowledge(frame.request_id);
      return;
    }
    const prepared = messages.prepare(frame);
    if (!(prepared instanceof Promise)) {
      this.#storeFinalMessage(frame, prepared);
      return;
    }
    this.#preparing = prepared
      .then((storeMessage) => this.#storeFinalMessage(frame, storeMessage))
      .catch((error) => this.#failed(frame.request_id, error, true))
      .finally(() => {
        this.#preparing = null;
      });
  }

  /** The message and the mark that it was seen are stored in one transaction, before the acknowledgement. */
  #storeFinalMessage({ request_id, observed_at }: FinalMessage, storeMessage: StoreMessage): void {
    const { store, seen, clock } = this.#deps;
    // While it was prepared, another connection of the browser may have stored it.
    if (!seen.has(this.clientId, request_id)) {
      store.transaction(() => {
        storeMessage(Math.max(0, clock.now() - observed_at));
        seen.add(this.clientId, request_id);
      });
    }
    this.#acknowledge(request_id);
  }

  async #pageControl(frame: PageControl): Promise<void> {
    const { request_id } = frame;
    try {
      const outcome = await doPageControl(this.#deps, this.#identity, frame);
      this.send({ type: 'page_control_result', request_id, ...outcome });
    } catch (error) {
      this.#deps.log.error({ err: error, client_id: this.clientId }, 'a page control failed');
      const failure = { code: 'internal', message: 'something went wrong in the agent' };
      this.send({ type: 'page_control_result', request_id, ok: false, error: failure });
    }
  }

  /** Sends the snapshot when it differs from the one that the browser has. */
  #pushSnapshot(): void {
    const snapshot = this.#deps.snapshots.take(this.clientId);
    const key = snapshotKey(snapshot);
    if (key === this.#snapshotKey) return;
    this.#snapshotKey = key;
    this.send({ type: 'snapshot', snapshot });
  }

  #acknowledge(request_id: string): void {
    this.send({ type: 'message_ack', request_id });
  }

  /** The same message would be refused again, so the extension drops it. */
  #refuseForGood(request_id: string | null, code: string): void {
    if (request_id !== null) this.send({ type: 'message_nack', request_id, code });
  }

  #refuse(re: string | null, code: string, message: string): void {
    this.send({ type: 'error', re, code, message });
  }
}

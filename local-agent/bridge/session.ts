/**
 * One paired browser, from its hello to its end. A frame that is not understood is answered with `error` and breaks
 * nothing. A final message is acknowledged only after it is on disk; repeated, it is acknowledged again and stored no
 * second time. Frames are taken in the order in which they came.
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
import { firstIssueText } from '../../schema/contracts/issues.ts';
import { AppError } from '../../schema/errors.ts';
import type { BrowserClients } from '../browsers/clients.ts';
import type { SeenMessages } from '../browsers/seen-messages.ts';
import type { Snapshots } from '../browsers/snapshot.ts';
import { snapshotKey } from '../browsers/snapshot.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import type { PageControl, PageControlDeps } from './page-control.ts';
import { doPageControl } from './page-control.ts';
import type { BridgeSocket } from './socket.ts';

/** Who hears of what a browser says. */
export interface BridgeEvents {
  /**
   * Stores a final message for the edge, inside the transaction that it is called in and synchronously; when it throws
   * the message is not acknowledged. `ageMs` is how long ago it was observed.
   */
  onFinalMessage(frame: FinalMessage, ageMs: number): void;
  onActionResult(clientId: string, frame: ActionResult): void;
}

export interface SessionDeps {
  store: Store;
  clock: Clock;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
  seen: SeenMessages;
  clients: BrowserClients;
  snapshots: Snapshots;
  pageControl: PageControlDeps;
  events: BridgeEvents;
}

export interface SessionIdentity {
  clientId: string;
  connectionId: string;
  platforms: readonly Platform[];
  /** The client's own token: what a person clicks there is done under it. */
  token: string;
}

function frameId(json: unknown): string | null {
  const id = typeof json === 'object' && json !== null && 'request_id' in json ? json.request_id : null;
  return typeof id === 'string' ? id.slice(0, 128) : null;
}

export class Session {
  readonly clientId: string;
  readonly #deps: SessionDeps;
  readonly #socket: BridgeSocket;
  readonly #identity: SessionIdentity;
  #shown: string | undefined;

  constructor(deps: SessionDeps, socket: BridgeSocket, identity: SessionIdentity) {
    this.#deps = deps;
    this.#socket = socket;
    this.#identity = identity;
    this.clientId = identity.clientId;
  }

  /** Answers the hello. */
  greet(): void {
    const snapshot = this.#deps.snapshots.of(this.clientId);
    this.#shown = snapshotKey(snapshot);
    this.send({ type: 'hello_ack', connection_id: this.#identity.connectionId, snapshot });
  }

  send(frame: AgentBridgeFrame): boolean {
    return this.#socket.send(frame);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  /** Sends the snapshot when it shows something else than the last one. */
  pushSnapshot(): void {
    const snapshot = this.#deps.snapshots.of(this.clientId);
    const key = snapshotKey(snapshot);
    if (key === this.#shown) return;
    this.#shown = key;
    this.send({ type: 'snapshot', snapshot });
  }

  onFrame(json: unknown): void {
    const parsed = ExtensionFrameSchema.safeParse(json);
    const re = frameId(json);
    if (!parsed.success) {
      this.#refuse(re, 'invalid_request', firstIssueText(parsed.error, 'frame'));
      return;
    }
    try {
      this.#take(parsed.data);
    } catch (error) {
      const expected =
        error instanceof AppError ? error : new AppError('internal', 'something went wrong in the agent');
      if (expected !== error) this.#deps.log.error({ err: error, client_id: this.clientId }, 'bridge frame');
      this.#refuse(re, expected.code, expected.message);
    }
  }

  #take(frame: ExtensionFrame): void {
    switch (frame.type) {
      case 'browser.final_message':
        this.#finalMessage(frame);
        break;
      case 'browser.client_state':
        this.#deps.clients.observed(this.clientId, this.#identity.platforms, frame);
        this.#acknowledge(frame.request_id);
        break;
      case 'browser.action_result':
        this.#deps.events.onActionResult(this.clientId, frame);
        break;
      case 'page_control':
        void this.#pageControl(frame);
        break;
      case 'diagnostic':
        this.#deps.log.info(
          { client_id: this.clientId, level: frame.level, text: frame.message },
          'browser diagnostic',
        );
        if (frame.request_id !== undefined) this.#acknowledge(frame.request_id);
        break;
      case 'hello':
      case 'pair':
        throw new AppError('invalid_request', `${frame.type} comes first on a connection, and once`);
      default:
        frame satisfies never;
    }
  }

  /** The message and the mark that it was seen are one transaction: what is acknowledged is on disk. */
  #finalMessage(frame: FinalMessage): void {
    if (frame.client_id !== this.clientId) throw new AppError('not_owner', 'client_id is not this connection’s');
    const { store, seen, clock, events } = this.#deps;
    if (!seen.has(this.clientId, frame.request_id)) {
      store.transaction(() => {
        events.onFinalMessage(frame, Math.max(0, clock.now() - frame.observed_at));
        seen.add(this.clientId, frame.request_id);
      });
    }
    this.#acknowledge(frame.request_id);
  }

  async #pageControl(frame: PageControl): Promise<void> {
    const { request_id } = frame;
    try {
      const outcome = await doPageControl(this.#deps.pageControl, this.#identity, frame);
      this.send({ type: 'page_control_result', request_id, ...outcome });
    } catch (error) {
      this.#deps.log.error({ err: error, client_id: this.clientId }, 'page control');
      const failure = { code: 'internal', message: 'something went wrong in the agent' };
      this.send({ type: 'page_control_result', request_id, ok: false, error: failure });
    }
  }

  #acknowledge(requestId: string): void {
    this.send({ type: 'message_ack', request_id: requestId });
  }

  #refuse(re: string | null, code: string, message: string): void {
    this.send({ type: 'error', re, code, message });
  }
}

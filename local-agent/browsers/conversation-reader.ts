/** Has a browser read a conversation. A reading changes nothing and is not stored: it can be asked for again. */
import type { ActionResult, ConversationReading } from '../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import type { TargetPayload } from '../../schema/contracts/conversations.ts';
import { DELIVERY } from '../../schema/defaults.ts';
import type { Clock } from '../lib/clock.ts';
import type { ConnectedBrowsers } from './connected-browsers.ts';

export interface ReaderDeps {
  browsers: Pick<ConnectedBrowsers, 'send'>;
  clock: Pick<Clock, 'after'>;
  newRequestId: () => string;
}

interface PendingReading {
  clientId: string;
  finish(reading: ConversationReading | null): void;
  cancelTimeout: () => void;
}

export class ConversationReader {
  readonly #deps: ReaderDeps;
  /** By request id. */
  readonly #pending = new Map<string, PendingReading>();
  #isStopped = false;

  constructor(deps: ReaderDeps) {
    this.#deps = deps;
  }

  /**
   * Resolves with null when the browser is away, could not read, or does not respond in time. After `stop` it never
   * resolves: the process is about to end.
   */
  read(platform: Platform, target: TargetPayload): Promise<ConversationReading | null> {
    const { browsers, clock, newRequestId } = this.#deps;
    if (this.#isStopped) return new Promise(() => undefined);
    const request_id = newRequestId();
    const timeout_ms = DELIVERY.search_timeout_ms;
    const { client_id, conversation_id, tab_id, organization_id = null, page_url } = target;
    return new Promise((resolve) => {
      const finish = (reading: ConversationReading | null): void => {
        if (!this.#pending.delete(request_id)) return;
        cancelTimeout();
        resolve(reading);
      };
      const cancelTimeout = clock.after(timeout_ms, () => finish(null));
      this.#pending.set(request_id, { clientId: client_id, finish, cancelTimeout });
      const page = { client_id, platform, conversation_id, tab_id, organization_id, page_url };
      const isSent = browsers.send(client_id, { type: 'browser.read_current', request_id, ...page, timeout_ms });
      if (!isSent) finish(null);
    });
  }

  /** Takes a browser's result; false when it is not the result of a reading. */
  take(clientId: string, frame: ActionResult): boolean {
    const pending = this.#pending.get(frame.request_id);
    if (pending?.clientId !== clientId) return false;
    if (!frame.accepted || frame.failed) pending.finish(null);
    else if (frame.completed) pending.finish(frame.conversation ?? null);
    return true;
  }

  /** The browser has disconnected: its readings will get no result. */
  abandon(clientId: string): void {
    for (const pending of [...this.#pending.values()]) if (pending.clientId === clientId) pending.finish(null);
  }

  /** Reads nothing more, and leaves what is pending unresolved. */
  stop(): void {
    this.#isStopped = true;
    for (const { cancelTimeout } of this.#pending.values()) cancelTimeout();
    this.#pending.clear();
  }
}

/**
 * Has a browser read a conversation, and gives what it read, or null when no answer came. Once stopped it answers
 * nobody any more: the process ends, and whoever must know asks again.
 */
import type { ActionResult, ConversationReading, ReadCurrent } from '../../schema/contracts/bridge-frames.ts';
import { DELIVERY } from '../../schema/defaults.ts';
import type { Clock } from '../lib/clock.ts';

/** What is to be read, where. */
export type ReadTarget = Omit<ReadCurrent, 'type' | 'request_id' | 'timeout_ms'>;

export interface ReaderDeps {
  /** False when there is no browser that takes it. */
  send: (clientId: string, frame: ReadCurrent) => boolean;
  clock: Clock;
  newRequestId: () => string;
}

interface Waiting {
  clientId: string;
  finish(reading: ConversationReading | null): void;
  cancel: () => void;
}

export class ConversationReader {
  readonly #deps: ReaderDeps;
  /** By request. */
  readonly #waiting = new Map<string, Waiting>();
  #stopped = false;

  constructor(deps: ReaderDeps) {
    this.#deps = deps;
  }

  /** Asks that browser; resolves with null when it is away, could not read, or does not answer in time. */
  read(target: ReadTarget): Promise<ConversationReading | null> {
    const { send, clock, newRequestId } = this.#deps;
    const request_id = newRequestId();
    return new Promise((resolve) => {
      const finish = (reading: ConversationReading | null): void => {
        if (!this.#waiting.delete(request_id)) return;
        cancel();
        resolve(reading);
      };
      const cancel = clock.after(DELIVERY.search_timeout_ms, () => finish(null));
      this.#waiting.set(request_id, { clientId: target.client_id, finish, cancel });
      if (this.#stopped) {
        this.stop();
        return;
      }
      const timeout_ms = DELIVERY.search_timeout_ms;
      const sent = send(target.client_id, { type: 'browser.read_current', request_id, ...target, timeout_ms });
      if (!sent) finish(null);
    });
  }

  /** Takes a browser's answer; false when it is not one to a reading. */
  take(clientId: string, frame: ActionResult): boolean {
    const waiting = this.#waiting.get(frame.request_id);
    if (waiting?.clientId !== clientId) return false;
    if (!frame.accepted || frame.failed) waiting.finish(null);
    else if (frame.completed) waiting.finish(frame.conversation ?? null);
    return true;
  }

  /** That browser has gone: nobody will answer. */
  abandon(clientId: string): void {
    for (const waiting of [...this.#waiting.values()]) if (waiting.clientId === clientId) waiting.finish(null);
  }

  /** Nothing is read any more. */
  stop(): void {
    this.#stopped = true;
    for (const { cancel } of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }
}

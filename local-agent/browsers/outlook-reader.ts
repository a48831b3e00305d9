/**
 * Keeps the next renewals of the conversations that browsers have open as the edge sees them. They are read a moment after
 * something has happened that may change them, when the time that the edge named has come, and else rarely. At most a few
 * conversations are read at a time, those read longest ago first.
 */
import type { Clock } from '../lib/clock.ts';
import type { Conversations, KnownConversation } from './conversations.ts';

/** How long after an event: what the event leads to at the edge is done by then, and several events cause one reading. */
const AFTER_EVENT_MS = 1_500;
/** After a time that the edge named: the tick needs a moment. */
const AFTER_TIME_MS = 2_000;
/** While a renewal is due, it can leave at any moment. */
const WHILE_DUE_MS = 10_000;
const AT_LEAST_MS = 300_000;
/** Conversations read in one round, and the shortest time between two rounds. */
const PER_ROUND = 20;

/** In how many milliseconds a conversation is read again when nothing happens. Pure. */
export function rereadInMs(detail: Pick<KnownConversation, 'next_renewal'>, now: number): number {
  const { next_renewal: next } = detail;
  if (next === undefined) return AFTER_EVENT_MS;
  if (next.due) return WHILE_DUE_MS;
  if (next.at === null || next.at <= now) return AT_LEAST_MS;
  return Math.min(AT_LEAST_MS, next.at - now + AFTER_TIME_MS);
}

export interface OutlookReaderDeps {
  conversations: Conversations;
  clock: Clock;
  /** The known conversations that connected browsers have open. */
  open: () => readonly KnownConversation[];
}

export class OutlookReader {
  readonly #deps: OutlookReaderDeps;
  readonly #readAt = new Map<string, number>();
  #cancel: (() => void) | null = null;
  #wakeAt = Number.POSITIVE_INFINITY;
  #isReading = false;
  #isStopped = false;

  constructor(deps: OutlookReaderDeps) {
    this.#deps = deps;
  }

  /** Something has happened that may change the next renewal of an open conversation. */
  touch(): void {
    this.#readAt.clear();
    this.#wakeIn(AFTER_EVENT_MS);
  }

  /** Conversations were read or opened: their next times count. */
  settle(): void {
    const { clock, open } = this.#deps;
    const now = clock.now();
    const times = open().map((detail) => this.#dueAt(detail, now));
    if (times.length > 0) this.#wakeIn(Math.max(AFTER_EVENT_MS, Math.min(...times) - now));
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  #dueAt(detail: KnownConversation, now: number): number {
    const readAt = this.#readAt.get(detail.local_conversation_id);
    return readAt === undefined ? now : readAt + rereadInMs(detail, readAt);
  }

  #wakeIn(delayMs: number): void {
    const { clock } = this.#deps;
    const at = clock.now() + delayMs;
    if (this.#isStopped || (this.#cancel !== null && at >= this.#wakeAt)) return;
    this.#cancel?.();
    this.#wakeAt = at;
    this.#cancel = clock.after(delayMs, () => {
      this.#cancel = null;
      void this.#round();
    });
  }

  async #round(): Promise<void> {
    if (this.#isReading) return this.#wakeIn(AFTER_EVENT_MS);
    const { clock, open, conversations } = this.#deps;
    const now = clock.now();
    const ids = open()
      .filter((detail) => this.#dueAt(detail, now) <= now)
      .map((detail) => detail.local_conversation_id)
      .sort((a, b) => (this.#readAt.get(a) ?? 0) - (this.#readAt.get(b) ?? 0))
      .slice(0, PER_ROUND);
    this.#forgetClosed();
    for (const id of ids) this.#readAt.set(id, now);
    this.#isReading = true;
    await conversations.reread(ids);
    this.#isReading = false;
    this.settle();
  }

  #forgetClosed(): void {
    const open = new Set(this.#deps.open().map((detail) => detail.local_conversation_id));
    for (const id of this.#readAt.keys()) if (!open.has(id)) this.#readAt.delete(id);
  }
}

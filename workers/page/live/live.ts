/**
 * The connection to the events of the edge. The browser resumes a stream that ends by the id of its last event; a stream
 * that gives no sign for longer than the edge keeps one open is opened again, as after a laptop slept. Without a stream the
 * page polls, and says how old what it shows is.
 */
import type { EventTopic } from '../../../schema/contracts/events.ts';
import { EVENT_TOPICS, RESET_EVENT } from '../../../schema/contracts/events.ts';

/** The edge ends each stream after 25 s, and the browser opens the next a second later. */
export const SILENT_MS = 40_000;
export const POLL_MS = 5_000;
/** A stream may end and be opened again for so long before the page says that it is not live. */
export const GRACE_MS = 4_000;
const REOPEN_MS = 5_000;
const LOOK_MS = 1_000;

export type LiveState = 'connecting' | 'live' | 'polling';

/** What this file needs of an EventSource. */
export interface EventStream {
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  addEventListener(name: string, listener: (event: { lastEventId: string }) => void): void;
  close(): void;
}
const CLOSED = 2;

export interface LiveDeps {
  open: (path: string) => EventStream;
  now: () => number;
  /** Something of these topics has changed; null: anything may have. */
  onChange: (topics: readonly EventTopic[] | null) => void;
  /** The edge refused the stream: the session may have ended. */
  onRefused: () => void;
}

export class Live {
  readonly #deps: LiveDeps;
  readonly #listeners = new Set<() => void>();
  #state: LiveState = 'connecting';
  #stream: EventStream | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;
  #lastId = '';
  /** The last time the stream was open, or brought an event. */
  #provedAt: number;
  #downSince: number | null;
  #openedAt = 0;
  #polledAt = 0;

  constructor(deps: LiveDeps) {
    this.#deps = deps;
    this.#provedAt = deps.now();
    this.#downSince = deps.now();
  }

  get state(): LiveState {
    return this.#state;
  }

  /** When the stream last proved that nothing was missed (Unix milliseconds). */
  get provedAt(): number {
    return this.#provedAt;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    this.#open();
    this.#timer = setInterval(() => this.look(), LOOK_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#stream?.close();
    this.#stream = null;
  }

  /** Looks whether the stream is still alive, and polls while it is not. */
  look(): void {
    const now = this.#deps.now();
    if (this.#state === 'live' && now - Math.max(this.#provedAt, this.#openedAt) > SILENT_MS) this.#open();
    const isClosed = this.#stream === null || this.#stream.readyState === CLOSED;
    if (isClosed && now - this.#openedAt >= REOPEN_MS) this.#open();
    if (this.#downSince !== null && now - this.#downSince > GRACE_MS) this.#set('polling');
    if (this.#state === 'polling' && now - this.#polledAt >= POLL_MS) {
      this.#polledAt = now;
      this.#deps.onChange(null);
    }
  }

  #open(): void {
    const { open, now } = this.#deps;
    this.#stream?.close();
    this.#openedAt = now();
    this.#downSince ??= this.#lostAt();
    const stream = open(this.#lastId === '' ? '/v1/events' : `/v1/events?last_event_id=${this.#lastId}`);
    this.#stream = stream;
    const ifCurrent = (act: () => void) => () => {
      if (this.#stream === stream) act();
    };
    stream.onopen = ifCurrent(() => this.#opened());
    stream.onerror = ifCurrent(() => this.#failed(stream));
    for (const topic of EVENT_TOPICS) {
      stream.addEventListener(topic, (event) => ifCurrent(() => this.#received(event.lastEventId, [topic]))());
    }
    stream.addEventListener(RESET_EVENT, (event) => ifCurrent(() => this.#received(event.lastEventId, null))());
  }

  #opened(): void {
    // Without an id the stream begins with what happens now: anything before it may have been missed.
    if (this.#lastId === '' || this.#state === 'polling') this.#deps.onChange(null);
    this.#provedAt = this.#deps.now();
    this.#downSince = null;
    this.#set('live');
  }

  #received(id: string, topics: readonly EventTopic[] | null): void {
    if (id !== '') this.#lastId = id;
    this.#provedAt = this.#deps.now();
    this.#deps.onChange(topics);
  }

  #failed(stream: EventStream): void {
    this.#downSince ??= this.#lostAt();
    // The browser tries again by itself, except after a refusal.
    if (stream.readyState === CLOSED) this.#deps.onRefused();
  }

  /** Since when the stream proves nothing. After a sleep of the machine that is long ago, and the page says so at once. */
  #lostAt(): number {
    const now = this.#deps.now();
    return now - this.#provedAt > SILENT_MS ? this.#provedAt : now;
  }

  #set(state: LiveState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

/**
 * What the page has read, by path. A path that something shows is read again when an event names one of its topics, at
 * most once in `MIN_GAP_MS`; while a read is under way a further one waits for it. A failed read keeps the data that was
 * there, with the error beside it: the page shows both, and how old the data is. It is repeated after a growing pause, unless
 * the edge has refused it for good.
 */
import type { EventTopic } from '../../../schema/contracts/events.ts';
import { EdgeError } from './client.ts';

export const MIN_GAP_MS = 1_000;
/** The pause before a failed read is repeated; each further one is twice as long. */
export const RETRY_MS = 2_000;
export const MAX_RETRY_MS = 30_000;
/** Paths that nothing shows any more, kept so that going back is immediate. */
const KEPT = 60;

export interface Read<T> {
  data: T | null;
  error: EdgeError | null;
  /** When the data was read (Unix milliseconds). */
  at: number | null;
  isLoading: boolean;
}

export interface Source<T> {
  path: string;
  /** The data changes with events of these; null: it is only read when it is asked for. */
  topics: readonly EventTopic[];
  load: (path: string) => Promise<T>;
}

interface Entry {
  source: Source<unknown>;
  read: Read<unknown>;
  listeners: Set<() => void>;
  isStale: boolean;
  timer: ReturnType<typeof setTimeout> | null;
  startedAt: number;
  /** Reads that have failed since the last that did not. */
  failures: number;
}

export interface StoreDeps {
  now: () => number;
  /** A read failed because the session has ended. */
  onSignedOut: (error: EdgeError) => void;
}

const NOTHING: Read<unknown> = { data: null, error: null, at: null, isLoading: true };

export class Store {
  readonly #entries = new Map<string, Entry>();
  readonly #isReading = new Set<Entry>();
  readonly #deps: StoreDeps;
  #isPaused = false;

  constructor(deps: StoreDeps) {
    this.#deps = deps;
  }

  /** What is known of that path now. */
  peek<T>(path: string): Read<T> {
    return (this.#entries.get(path)?.read ?? NOTHING) as Read<T>;
  }

  /** Shows a path: reads it now when it is not known or may have changed, and again from then on. */
  show<T>(source: Source<T>, listener: () => void): () => void {
    const entry = this.#entryOf(source as Source<unknown>);
    entry.listeners.add(listener);
    if (entry.isStale) this.#schedule(entry);
    return () => {
      entry.listeners.delete(listener);
      this.#dropOld();
    };
  }

  /** Something of these topics has changed; null: anything may have. */
  changed(topics: readonly EventTopic[] | null): void {
    for (const entry of this.#entries.values()) {
      if (topics !== null && !entry.source.topics.some((topic) => topics.includes(topic))) continue;
      entry.isStale = true;
      if (entry.listeners.size > 0) this.#schedule(entry);
    }
  }

  readAgain(path: string): void {
    const entry = this.#entries.get(path);
    if (entry === undefined) return;
    entry.isStale = true;
    if (entry.listeners.size > 0) this.#schedule(entry);
  }

  /** The oldest data that is shown (Unix milliseconds); null when nothing is. */
  oldestShown(): number | null {
    const times = this.#shown().flatMap(({ read: { at } }) => at ?? []);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Whether something that is shown could not be read, and will be read again. */
  isRetrying(): boolean {
    return this.#shown().some(({ read: { error } }) => error !== null && !error.isFinal);
  }

  #shown(): Entry[] {
    return [...this.#entries.values()].filter(({ listeners }) => listeners.size > 0);
  }

  /** While no person looks at the page nothing is read; what has changed is read when it is looked at again. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    if (isPaused) return;
    for (const entry of this.#shown()) if (entry.isStale) this.#schedule(entry);
  }

  clear(): void {
    for (const { timer } of this.#entries.values()) if (timer !== null) clearTimeout(timer);
    this.#entries.clear();
  }

  #entryOf(source: Source<unknown>): Entry {
    const found = this.#entries.get(source.path);
    if (found) {
      found.source = source;
      return found;
    }
    const { now } = this.#deps;
    const read = { ...NOTHING };
    const entry: Entry = {
      source,
      read,
      listeners: new Set(),
      isStale: true,
      timer: null,
      startedAt: now() - MIN_GAP_MS,
      failures: 0,
    };
    this.#entries.set(source.path, entry);
    return entry;
  }

  /** A read that is due later, as after a failure, is moved to the new time. */
  #schedule(entry: Entry, waitMs = Math.max(0, entry.startedAt + MIN_GAP_MS - this.#deps.now())): void {
    if (this.#isPaused || this.#isReading.has(entry) || this.#entries.get(entry.source.path) !== entry) return;
    if (entry.timer !== null) clearTimeout(entry.timer);
    entry.timer = setTimeout(() => {
      entry.timer = null;
      void this.#load(entry);
    }, waitMs);
  }

  async #load(entry: Entry): Promise<void> {
    if (this.#isPaused || entry.listeners.size === 0) return;
    const { now, onSignedOut } = this.#deps;
    this.#isReading.add(entry);
    entry.isStale = false;
    entry.startedAt = now();
    this.#set(entry, { ...entry.read, isLoading: true });
    try {
      const data = await entry.source.load(entry.source.path);
      entry.failures = 0;
      this.#set(entry, { data, error: null, at: now(), isLoading: false });
    } catch (caught) {
      const error = caught instanceof EdgeError ? caught : new EdgeError('internal', String(caught));
      this.#set(entry, { ...entry.read, error, isLoading: false });
      if (!error.isFinal) {
        entry.isStale = true;
        entry.failures += 1;
      }
      if (error.isSignedOut) onSignedOut(error);
    } finally {
      this.#isReading.delete(entry);
    }
    if (!entry.isStale || entry.listeners.size === 0) return;
    if (entry.read.error === null) this.#schedule(entry);
    else this.#schedule(entry, Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** (entry.failures - 1)));
  }

  #set(entry: Entry, read: Read<unknown>): void {
    entry.read = read;
    for (const listener of entry.listeners) listener();
  }

  #dropOld(): void {
    const idle = [...this.#entries].filter(([, { listeners }]) => listeners.size === 0);
    for (const [path, entry] of idle.slice(0, Math.max(0, idle.length - KEPT))) {
      if (entry.timer !== null) clearTimeout(entry.timer);
      this.#entries.delete(path);
    }
  }
}

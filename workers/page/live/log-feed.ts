/**
 * The log of a task or run while it grows: one request that stays open. A stream that breaks off is continued behind what
 * has arrived, for as long as the page shows it: so is one that says nothing for a while, as after a laptop slept. Only the
 * newest lines are kept, so that a long log costs a bounded amount of memory.
 */
import { LogPosition } from '../../../schema/domain/log-gap.ts';

export const MAX_LINES = 3_000;
const MAX_LINE_CHARS = 4_000;
/** The pause before the first try, which doubles with each that brings nothing. */
export const RETRY_MS = 2_000;
export const RETRY_MAX_MS = 30_000;
/** A stream that is silent for so long may have lost its other end: it is opened again. */
export const SILENT_MS = 60_000;

export type LogState = 'loading' | 'live' | 'broken' | 'ended';

export interface LogDeps {
  /** The body from `offset` on. @throws when there is none */
  open: (offset: number, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;
  onChange: () => void;
}

export class LogFeed {
  readonly #deps: LogDeps;
  readonly #stop = new AbortController();
  #turn = new AbortController();
  readonly #decoder = new TextDecoder();
  #lines: string[] = [''];
  #isCut = false;
  #state: LogState = 'loading';

  constructor(deps: LogDeps) {
    this.#deps = deps;
  }

  get state(): LogState {
    return this.#state;
  }

  /** The newest lines; the last one may not be finished. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Whether older lines are left out. */
  get isCut(): boolean {
    return this.#isCut;
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Opens the stream again now: the connection was lost, or is back. */
  again(): void {
    this.#turn.abort();
  }

  /** Reads until the edge ends the log, or `stop` is called. */
  async run(): Promise<void> {
    const stop = this.#stop.signal;
    let offset = 0;
    let failures = 0;
    while (!stop.aborted) {
      const position = new LogPosition(offset);
      const isWhole = await this.#read(offset, position);
      if (stop.aborted) return;
      if (isWhole) {
        this.#set('ended');
        return;
      }
      failures = position.value > offset ? 0 : failures + 1;
      offset = position.value;
      // Given up because it was silent, or asked to: it continues at once.
      if (this.#turn.signal.aborted) continue;
      this.#set('broken');
      await pause(Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** Math.max(0, failures - 1)), this.#signal());
    }
  }

  /** Whether the edge has ended the log. */
  async #read(offset: number, position: LogPosition): Promise<boolean> {
    this.#turn = new AbortController();
    const turn = this.#turn;
    let isOpen = false;
    let timer = setTimeout(() => turn.abort(), SILENT_MS);
    try {
      const body = await this.#deps.open(offset, this.#signal());
      isOpen = true;
      this.#set('live');
      for await (const chunk of body) {
        clearTimeout(timer);
        timer = setTimeout(() => turn.abort(), SILENT_MS);
        position.read(chunk);
        this.#take(this.#decoder.decode(chunk, { stream: true }));
      }
      return !turn.signal.aborted;
    } catch {
      if (!isOpen && !this.#stop.signal.aborted) this.#set('broken');
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  #signal(): AbortSignal {
    return AbortSignal.any([this.#stop.signal, this.#turn.signal]);
  }

  #take(text: string): void {
    const [first = '', ...more] = text.split('\n');
    const last = `${this.#lines.pop() ?? ''}${first}`;
    this.#lines.push(last.length > MAX_LINE_CHARS ? `${last.slice(0, MAX_LINE_CHARS)}…` : last, ...more);
    if (this.#lines.length > MAX_LINES) {
      this.#lines = this.#lines.slice(-MAX_LINES);
      this.#isCut = true;
    }
    this.#set('live');
  }

  #set(state: LogState): void {
    this.#state = state;
    this.#deps.onChange();
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}

/**
 * The log of a task or run while it grows: one request that stays open. A stream that breaks off is continued behind what
 * has arrived. Only the newest lines are kept, so that a long log costs a bounded amount of memory.
 */
import { LogPosition } from '../../../schema/domain/log-gap.ts';

export const MAX_LINES = 3_000;
const MAX_LINE_CHARS = 4_000;
const RETRY_MS = 2_000;
/** A log that brings nothing in so many tries in a row has an end that this page cannot see. */
const MAX_RETRIES = 30;

export type LogState = 'loading' | 'live' | 'broken' | 'ended';

export interface LogDeps {
  /** The body from `offset` on. @throws when there is none */
  open: (offset: number, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;
  sleep: (ms: number) => Promise<void>;
  onChange: () => void;
}

export class LogFeed {
  readonly #deps: LogDeps;
  readonly #stop = new AbortController();
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

  /** Reads until the edge ends the log, or `stop` is called. */
  async run(): Promise<void> {
    const { signal } = this.#stop;
    let offset = 0;
    let failures = 0;
    while (!signal.aborted) {
      const position = new LogPosition(offset);
      try {
        const body = await this.#deps.open(offset, signal);
        this.#set('live');
        for await (const chunk of body) {
          position.read(chunk);
          this.#take(this.#decoder.decode(chunk, { stream: true }));
        }
        if (!signal.aborted) this.#set('ended');
        return;
      } catch {
        if (signal.aborted) return;
        failures = position.value > offset ? 0 : failures + 1;
        offset = position.value;
        this.#set('broken');
        if (failures > MAX_RETRIES) return;
        await this.#deps.sleep(RETRY_MS);
      }
    }
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

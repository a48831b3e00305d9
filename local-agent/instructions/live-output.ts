/**
 * What a running program prints, told to the edge while it runs: in chunks, at most one a second and one unanswered at a
 * time, up to a limit. The whole output comes with the result, so nothing is lost when a chunk is not told.
 */
import { INSTRUCTION } from '../../schema/defaults.ts';
import type { Clock } from '../lib/clock.ts';

const { live_interval_ms, max_live_chars, max_live_chunk_chars } = INSTRUCTION;

export interface LiveOutputDeps {
  clock: Pick<Clock, 'after'>;
  /** Stores one chunk for the edge. */
  tell: (offset: number, chunk: string) => void;
}

export class LiveOutput {
  readonly #deps: LiveOutputDeps;
  #pending = '';
  #told = 0;
  #isUnanswered = false;
  #cancelTimer: (() => void) | null = null;
  #ended = false;

  constructor(deps: LiveOutputDeps) {
    this.#deps = deps;
  }

  take(text: string): void {
    const room = max_live_chars - this.#told - this.#pending.length;
    if (this.#ended || room <= 0) return;
    this.#pending += text.slice(0, room);
    this.#arm();
  }

  /** The edge has the last chunk. */
  answered(): void {
    this.#isUnanswered = false;
    this.#arm();
  }

  /** The result comes now, or the edge wants no more. */
  end(): void {
    this.#ended = true;
    this.#cancelTimer?.();
  }

  #arm(): void {
    if (this.#ended || this.#isUnanswered || this.#pending === '' || this.#cancelTimer !== null) return;
    this.#cancelTimer = this.#deps.clock.after(live_interval_ms, () => {
      this.#cancelTimer = null;
      this.#tell();
    });
  }

  #tell(): void {
    let end = Math.min(this.#pending.length, max_live_chunk_chars);
    // Half a character would not survive the way.
    if (/[\ud800-\udbff]/.test(this.#pending.charAt(end - 1))) end -= 1;
    const chunk = this.#pending.slice(0, end).toWellFormed();
    if (this.#ended || chunk === '') return;
    this.#pending = this.#pending.slice(end);
    this.#isUnanswered = true;
    this.#deps.tell(this.#told, chunk);
    this.#told += chunk.length;
  }
}

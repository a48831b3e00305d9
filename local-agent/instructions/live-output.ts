/**
 * Reports the output of a running program to the edge in chunks, at most one a second and one without a response at a
 * time, up to a limit. The result carries the whole output, so nothing is lost when a chunk is not reported.
 */
import { INSTRUCTION } from '../../schema/defaults.ts';
import type { Clock } from '../lib/clock.ts';

const { live_interval_ms, max_live_chars, max_live_chunk_chars } = INSTRUCTION;
const HIGH_SURROGATE = /[\ud800-\udbff]/;

export interface LiveOutputDeps {
  clock: Pick<Clock, 'after'>;
  /** Stores one chunk for the edge; `offset` characters come before it. */
  report: (offset: number, chunk: string) => void;
}

export class LiveOutput {
  readonly #deps: LiveOutputDeps;
  #pending = '';
  #reportedChars = 0;
  #awaitsResponse = false;
  #cancelTimer: (() => void) | null = null;
  #hasEnded = false;

  constructor(deps: LiveOutputDeps) {
    this.#deps = deps;
  }

  add(text: string): void {
    const room = max_live_chars - this.#reportedChars - this.#pending.length;
    if (this.#hasEnded || room <= 0) return;
    this.#pending += text.slice(0, room);
    this.#setTimer();
  }

  /** The edge has stored the last chunk. */
  onResponse(): void {
    this.#awaitsResponse = false;
    this.#setTimer();
  }

  /** The program has ended, or the edge refuses chunks. */
  end(): void {
    this.#hasEnded = true;
    this.#cancelTimer?.();
  }

  #setTimer(): void {
    if (this.#hasEnded || this.#awaitsResponse || this.#pending === '' || this.#cancelTimer !== null) return;
    this.#cancelTimer = this.#deps.clock.after(live_interval_ms, () => {
      this.#cancelTimer = null;
      this.#reportChunk();
    });
  }

  #reportChunk(): void {
    let end = Math.min(this.#pending.length, max_live_chunk_chars);
    // A chunk does not end within a character.
    if (HIGH_SURROGATE.test(this.#pending.charAt(end - 1))) end -= 1;
    const chunk = this.#pending.slice(0, end).toWellFormed();
    if (this.#hasEnded || chunk === '') return;
    this.#pending = this.#pending.slice(end);
    this.#awaitsResponse = true;
    this.#deps.report(this.#reportedChars, chunk);
    this.#reportedChars += chunk.length;
  }
}

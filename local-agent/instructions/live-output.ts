/**
 * The output of a running program, for the progress reports: a chunk becomes due at most once a second, up to a limit.
 * The result carries the whole output, so a chunk that is never reported is not lost.
 */
import type { ProgressOutput } from '../../schema/contracts/progress.ts';
import { INSTRUCTION } from '../../schema/defaults.ts';
import type { Clock } from '../lib/clock.ts';

const { live_interval_ms, max_live_chars, max_live_chunk_chars } = INSTRUCTION;

export interface LiveOutputDeps {
  clock: Pick<Clock, 'after'>;
  /** A chunk is due: `nextChunk` returns it. */
  onDue: () => void;
}

export class LiveOutput {
  readonly #deps: LiveOutputDeps;
  #pending = '';
  #reported = 0;
  #isDue = false;
  #cancelTimer: (() => void) | null = null;
  #ended = false;

  constructor(deps: LiveOutputDeps) {
    this.#deps = deps;
  }

  append(text: string): void {
    const room = max_live_chars - this.#reported - this.#pending.length;
    if (this.#ended || room <= 0) return;
    this.#pending += text.slice(0, room);
    this.#arm();
  }

  /** Takes the chunk that is due; null when none is. */
  nextChunk(): ProgressOutput | null {
    if (this.#ended || !this.#isDue) return null;
    let end = Math.min(this.#pending.length, max_live_chunk_chars);
    // A chunk does not end within a surrogate pair: half a character would not survive the encoding.
    if (/[\ud800-\udbff]/.test(this.#pending.charAt(end - 1))) end -= 1;
    if (end === 0) return null;
    const chunk = { offset: this.#reported, text: this.#pending.slice(0, end).toWellFormed() };
    this.#pending = this.#pending.slice(end);
    this.#reported += end;
    this.#isDue = false;
    this.#arm();
    return chunk;
  }

  /** No further chunk: the result follows, or the edge accepts no more. */
  end(): void {
    this.#ended = true;
    this.#cancelTimer?.();
  }

  #arm(): void {
    if (this.#ended || this.#isDue || this.#pending === '' || this.#cancelTimer !== null) return;
    this.#cancelTimer = this.#deps.clock.after(live_interval_ms, () => {
      this.#cancelTimer = null;
      this.#isDue = true;
      this.#deps.onDue();
    });
  }
}

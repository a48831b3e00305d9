/**
 * The output of a running program as text that can be shown: decoded across chunks and redacted. An end that may be the
 * start of a secret is held back until the next chunk.
 */
import { StringDecoder } from 'node:string_decoder';
import { INSTRUCTION } from '../../schema/defaults.ts';
import type { Redact } from '../lib/redact.ts';

/** Output beyond the limit of what is shown live is ignored. */
const MAX_CHARS = INSTRUCTION.max_live_chars;

export class LiveText {
  readonly #redact: Redact;
  readonly #show: (text: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #held = '';
  #shown = 0;

  constructor(redact: Redact, show: (text: string) => void) {
    this.#redact = redact;
    this.#show = show;
  }

  take(chunk: Buffer): void {
    if (this.#held.length + this.#shown > MAX_CHARS) return;
    this.#held += this.#decoder.write(chunk);
    const end = this.#held.length - this.#redact.undecided(this.#held);
    if (end === 0) return;
    const ready = this.#redact(this.#held.slice(0, end));
    const rest = this.#held.slice(end);
    // The texts differ when a secret lies across the cut; then all of it waits for the next chunk.
    if (ready + this.#redact(rest) !== this.#redact(this.#held)) return;
    this.#held = rest;
    this.#shown += ready.length;
    this.#show(ready);
  }
}

/**
 * What a program prints, as text that may be shown while it still runs: decoded across chunks, redacted, and held back
 * as far as a secret could still be coming.
 */
import { StringDecoder } from 'node:string_decoder';
import { INSTRUCTION } from '../../schema/defaults.ts';
import type { Redact } from '../lib/redact.ts';

/** More than is ever shown live is not looked at. */
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
    // They differ when a secret lies across the cut: then it is shown with what comes next.
    if (ready + this.#redact(rest) !== this.#redact(this.#held)) return;
    this.#held = rest;
    this.#shown += ready.length;
    this.#show(ready);
  }
}

/**
 * Splits the body of a response into its parts. A body is `)]}'`, then a length and a line of JSON in turns. The length
 * counts UTF-16 units in a way that has changed before, so lines are found by their ends: JSON escapes a line end within.
 */
import { parsedJson } from './positions.ts';

const LF = 10;
const PREFIX = ")]}'";
const LENGTH = /^\d+$/;
/** A line repeats all of an answer, so it is a little longer than the longest answer. */
const MAX_LINE_BYTES = 8_000_000;

/** Among the parts, in the place of a line that is neither JSON nor known. */
export const STRANGE_LINE = Symbol('strange line');

export class LineReader {
  readonly #decoder = new TextDecoder();
  /** Begins with the bytes of the line that has begun; it grows by doubling. */
  #line = new Uint8Array(1024);
  #length = 0;
  #isTooLong = false;

  /** Set once a line is longer than any that is read: the rest of the body is not looked at. */
  get isTooLong(): boolean {
    return this.#isTooLong;
  }

  /** The parts of the lines that these bytes bring to an end, in order. */
  push(bytes: Uint8Array): unknown[] {
    const parts: unknown[] = [];
    let start = 0;
    while (!this.#isTooLong && start < bytes.length) {
      const end = bytes.indexOf(LF, start);
      this.#keep(bytes.subarray(start, end < 0 ? bytes.length : end));
      if (end < 0) break;
      this.#endLine(parts);
      start = end + 1;
    }
    return parts;
  }

  /** The last line needs no line end. */
  end(): unknown[] {
    const parts: unknown[] = [];
    if (!this.#isTooLong) this.#endLine(parts);
    return parts;
  }

  #keep(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > MAX_LINE_BYTES) {
      this.#isTooLong = true;
      this.#line = new Uint8Array();
      return;
    }
    if (length > this.#line.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#line.length));
      larger.set(this.#line.subarray(0, this.#length));
      this.#line = larger;
    }
    this.#line.set(piece, this.#length);
    this.#length = length;
  }

  /** A line is decoded as a whole, so that a chunk may end within a character. */
  #endLine(parts: unknown[]): void {
    if (this.#isTooLong) return;
    const line = this.#decoder.decode(this.#line.subarray(0, this.#length)).trim();
    this.#length = 0;
    if (line === '' || line === PREFIX || LENGTH.test(line)) return;
    const read = parsedJson(line);
    if (Array.isArray(read)) for (const part of read as unknown[]) parts.push(part);
    else parts.push(STRANGE_LINE);
  }
}

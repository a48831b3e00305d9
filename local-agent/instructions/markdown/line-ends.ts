/**
 * Where the lines of a text end: at LF, CRLF or a lone CR. Asked in the order of the text, the next of each is looked
 * for once, so that a text full of the one and without the other is not searched again for every line.
 */
import { LF } from './chars.ts';

export class LineEnds {
  readonly #text: string;
  #lineFeed = -1;
  #carriageReturn = -1;

  constructor(text: string) {
    this.#text = text;
  }

  /** The end of the line that begins at `from`, before the text's end; the text's length when nothing ends it. */
  end(from: number): number {
    if (this.#lineFeed < from) this.#lineFeed = this.#find('\n', from);
    if (this.#carriageReturn < from) this.#carriageReturn = this.#find('\r', from);
    return this.#lineFeed < this.#carriageReturn ? this.#lineFeed : this.#carriageReturn;
  }

  /** Where the line after the one that ends at `end` begins. */
  after(end: number): number {
    return end === this.#carriageReturn && this.#text.charCodeAt(end + 1) === LF ? end + 2 : end + 1;
  }

  #find(char: string, from: number): number {
    const at = this.#text.indexOf(char, from);
    return at < 0 ? this.#text.length : at;
  }
}

/**
 * A position in one line, in characters and in columns: tabs reach to the next multiple of four, and a tab may be
 * consumed in part. The next character that is not white space is found once, however often it is asked for, so
 * that a line costs its length and not its length times the depth of its containers.
 */
import { isSpaceOrTab, SPACE, TAB } from './chars.ts';

export class LineCursor {
  #text = '';
  #offset = 0;
  #column = 0;
  /** Columns of the tab at `#offset` that are not consumed yet; 0 when none was consumed in part. */
  #tabRest = 0;
  #next = -1;
  #nextColumn = 0;
  /** For a code, the last character that is neither it nor white space. */
  readonly #lastOther = new Map<number, number>();

  start(text: string): void {
    this.#text = text;
    this.#offset = 0;
    this.#column = 0;
    this.#tabRest = 0;
    this.#next = -1;
    if (this.#lastOther.size > 0) this.#lastOther.clear();
  }

  get text(): string {
    return this.#text;
  }

  /** Where the next character stands that is neither space nor tab; the line's length when none does. */
  get next(): number {
    if (this.#next < this.#offset) {
      let at = this.#offset;
      let column = this.#column;
      for (; at < this.#text.length; at++) {
        const code = this.#text.charCodeAt(at);
        if (code === SPACE) column += 1;
        else if (code === TAB) column += 4 - (column % 4);
        else break;
      }
      this.#next = at;
      this.#nextColumn = column;
    }
    return this.#next;
  }

  /** Columns of white space before `next`. */
  get indent(): number {
    const at = this.next;
    return at < 0 ? 0 : this.#nextColumn - this.#column;
  }

  get blank(): boolean {
    return this.next >= this.#text.length;
  }

  /** The character at `next`; NaN on a blank rest. */
  get code(): number {
    return this.blank ? Number.NaN : this.#text.charCodeAt(this.next);
  }

  atSpace(): boolean {
    return this.#offset < this.#text.length && isSpaceOrTab(this.#text.charCodeAt(this.#offset));
  }

  skipSpace(): void {
    const at = this.next;
    this.#offset = at;
    this.#column = this.#nextColumn;
    this.#tabRest = 0;
  }

  /** Steps over that many characters, none of which is a tab. */
  skip(count: number): void {
    this.#offset += count;
    this.#column += count;
  }

  /** Steps over that many columns of white space, at most as many as there are. */
  skipColumns(count: number): void {
    let left = count;
    while (left > 0 && this.#offset < this.#text.length) {
      const code = this.#text.charCodeAt(this.#offset);
      if (code === SPACE) {
        this.#offset += 1;
        this.#column += 1;
        left -= 1;
      } else if (code === TAB) {
        const width = 4 - (this.#column % 4);
        const taken = Math.min(width, left);
        this.#column += taken;
        left -= taken;
        this.#tabRest = width - taken;
        if (taken === width) this.#offset += 1;
      } else break;
    }
  }

  /** What is left; the columns left of a tab that was consumed in part are spaces. */
  rest(): string {
    if (this.#tabRest > 0) return ' '.repeat(this.#tabRest) + this.#text.slice(this.#offset + 1);
    return this.#offset === 0 ? this.#text : this.#text.slice(this.#offset);
  }

  /** Whether the line, from `next` on, consists of that character, spaces and tabs only. Scans the line once for each. */
  isOnly(wanted: number): boolean {
    let last = this.#lastOther.get(wanted);
    if (last === undefined) {
      last = this.#text.length - 1;
      while (last >= 0) {
        const code = this.#text.charCodeAt(last);
        if (code !== wanted && !isSpaceOrTab(code)) break;
        last -= 1;
      }
      this.#lastOther.set(wanted, last);
    }
    return last < this.next;
  }
}

/** Sets of characters in patterns, such as `[a-z_]`, by the rules of Git's wildmatch. */
import type { Accepts } from './wildcard.ts';

interface CharSet {
  accepts: Accepts;
  /** The position after the closing bracket. */
  end: number;
}

const between =
  (from: number, to: number): Accepts =>
  (char) =>
    char >= from && char <= to;
const either =
  (...all: Accepts[]): Accepts =>
  (char) =>
    all.some((accepts) => accepts(char));

const digit = between(0x30, 0x39);
const upper = between(0x41, 0x5a);
const lower = between(0x61, 0x7a);
const alpha = either(upper, lower);
const alnum = either(alpha, digit);
const graph = between(0x21, 0x7e);
const blank: Accepts = (char) => char === 0x20 || char === 0x09;

/** The named classes. As in Git they hold characters of ASCII only. */
const CLASSES = new Map<string, Accepts>(
  Object.entries({
    alnum,
    alpha,
    blank,
    cntrl: (char) => char < 0x20 || char === 0x7f,
    digit,
    graph,
    lower,
    print: between(0x20, 0x7e),
    punct: (char) => graph(char) && !alnum(char),
    space: (char) => blank(char) || char === 0x0a || char === 0x0d,
    upper,
    xdigit: either(digit, between(0x41, 0x46), between(0x61, 0x66)),
  } satisfies Record<string, Accepts>),
);

class SetReader {
  readonly #pattern: string;
  readonly #members: Accepts[] = [];
  #at: number;
  /** The character that a `-` would start a range from. */
  #from: number | null = null;

  constructor(pattern: string, at: number) {
    this.#pattern = pattern;
    this.#at = at;
  }

  read(): CharSet | null {
    const negated = this.#peek() === '!' || this.#peek() === '^';
    if (negated) this.#at += 1;
    // The first character belongs to the set even when it is `]`.
    do if (!this.#readMember()) return null;
    while (this.#peek() !== ']');
    const member = either(...this.#members);
    return { accepts: negated ? (char) => !member(char) : member, end: this.#at + 1 };
  }

  #peek(): string {
    return this.#pattern[this.#at] ?? '';
  }

  /** The next character, after a backslash the one behind it; null at the end. */
  #take(): number | null {
    if (this.#peek() === '\\') this.#at += 1;
    const char = this.#pattern.codePointAt(this.#at);
    if (char === undefined) return null;
    this.#at += char > 0xffff ? 2 : 1;
    return char;
  }

  #readMember(): boolean {
    const next = this.#pattern[this.#at + 1] ?? '';
    if (this.#from !== null && this.#peek() === '-' && next !== '' && next !== ']') {
      this.#at += 1;
      const to = this.#take();
      if (to === null) return false;
      this.#members.push(between(this.#from, to));
      this.#from = null;
      return true;
    }
    if (this.#peek() === '[' && next === ':') {
      const close = this.#pattern.indexOf(']', this.#at + 2);
      if (close < 0) return false;
      if (close > this.#at + 2 && this.#pattern[close - 1] === ':') return this.#addClass(close);
    }
    const char = this.#take();
    if (char === null) return false;
    this.#members.push((other) => other === char);
    this.#from = char;
    return true;
  }

  #addClass(close: number): boolean {
    const named = CLASSES.get(this.#pattern.slice(this.#at + 2, close - 1));
    if (!named) return false;
    this.#members.push(named);
    this.#from = null;
    this.#at = close + 1;
    return true;
  }
}

/** Reads the set whose `[` is right before `at`; null when it has no end or names no known class. */
export function readCharSet(pattern: string, at: number): CharSet | null {
  return new SetReader(pattern, at).read();
}

/**
 * CommonMark's block structure, as far as it decides where a fenced code block stands: containers (block quotes,
 * list items), and the one open leaf (paragraph, fence, HTML block, indented code). One pass, a line at a time.
 * A line costs its length: containers are matched by consuming it, and a blank line skips list items at once.
 *
 * Where parsers differ the text is `ambiguous` from there on, and no fence counts any more: a lone HTML tag as lazy
 * continuation; and a setext underline below a paragraph that may be nothing but link reference definitions, which
 * are not parsed here and change the structure of blocks nowhere else.
 */
import {
  ASTERISK,
  BACKTICK,
  BRACKET,
  closesFence,
  EQUALS,
  GREATER_THAN,
  HASH,
  HYPHEN,
  isDigit,
  isFence,
  isSpaceOrTab,
  LESS_THAN,
  PLUS,
  SPACE,
  skipRun,
  skipSpace,
  TILDE,
  trimmedEnd,
  UNDERSCORE,
} from './chars.ts';
import type { HtmlKind } from './html-block.ts';
import { htmlBlockEnds, htmlBlockStart } from './html-block.ts';
import { LineCursor } from './line-cursor.ts';

interface Quote {
  kind: 'quote';
}
interface Item {
  kind: 'item';
  /** Columns a line must be indented by to belong to the item. */
  indent: number;
  /** Whether something stands in it; an item that begins with two blank lines is over. */
  filled: boolean;
}
type Container = Quote | Item;

type Leaf =
  | { kind: 'none' | 'paragraph' | 'indented' }
  | { kind: 'fence'; code: number; length: number; indent: number }
  | { kind: 'html'; html: HtmlKind };

/** Leaves at the root that take every line until they end. */
type RootLeaf = 'fence' | 'html';

/** What a line was, as far as a fence at the root of the document is concerned. */
export type LineRole =
  | { role: 'open'; info: string }
  | { role: 'content'; text: string }
  | { role: 'close' }
  | { role: 'other' };

const OTHER: LineRole = { role: 'other' };
const CLOSE: LineRole = { role: 'close' };
const NO_LEAF: Leaf = { kind: 'none' };
const PARAGRAPH: Leaf = { kind: 'paragraph' };
const INDENTED: Leaf = { kind: 'indented' };
const HEADING = /#{1,6}(?:[ \t]|$)/y;
const ORDERED_MARKER = /\d{1,9}[.)]/y;

/** Length of the list marker at `index`; 0 when there is none. */
function markerWidth(text: string, index: number): number {
  const code = text.charCodeAt(index);
  if (code === HYPHEN || code === ASTERISK || code === PLUS) return 1;
  if (!isDigit(code)) return 0;
  ORDERED_MARKER.lastIndex = index;
  return ORDERED_MARKER.test(text) ? ORDERED_MARKER.lastIndex - index : 0;
}

export class BlockStructure {
  readonly #line = new LineCursor();
  readonly #containers: Container[] = [];
  /** Indexes of the block quotes in `#containers`. */
  readonly #quotes: number[] = [];
  #leaf: Leaf = NO_LEAF;
  /** The open paragraph begins with `[`; and somewhere in it stands `]:`. */
  #paragraphBrackets = false;
  #paragraphMayDefine = false;
  #ambiguous = false;

  /** Whether two readings are possible from here on, so that no later fence may be relied upon. */
  get ambiguous(): boolean {
    return this.#ambiguous;
  }

  /** The fence or HTML block that is open at the root of the document; null when neither is. */
  get rootLeaf(): RootLeaf | null {
    const { kind } = this.#leaf;
    return this.#containers.length === 0 && (kind === 'fence' || kind === 'html') ? kind : null;
  }

  /** Goes on as at the beginning of a document. */
  restart(): void {
    this.#closeTo(0);
  }

  /** Takes a line with a fence in its first column, the text from `from` to `end`: it closes all that is open. */
  takeRootFence(text: string, from: number, end: number): LineRole {
    return this.#openFence(0, text, from, end, 0);
  }

  /** Takes a line of the fence at the root when it does not matter what stands in it. */
  passFenced(text: string, from: number, end: number): void {
    if (this.#leaf.kind !== 'fence') return;
    const { code, length } = this.#leaf;
    const first = skipRun(text, from, end, SPACE);
    if (first - from <= 3 && closesFence(text, first, end, code, length)) this.#leaf = NO_LEAF;
  }

  /** Takes the next line, without its ending. */
  take(text: string): LineRole {
    this.#line.start(text);
    const matched = this.#matchContainers();
    const allMatched = matched === this.#containers.length;
    if (allMatched) {
      const role = this.#continueLeaf();
      if (role) return role;
    }
    return this.#openBlocks(matched);
  }

  #matchContainers(): number {
    const line = this.#line;
    let matched = 0;
    let quote = 0;
    while (matched < this.#containers.length) {
      if (line.blank) {
        // A blank rest belongs to every list item up to the next quote, but for an item that is empty so far.
        while (quote < this.#quotes.length && (this.#quotes[quote] ?? 0) < matched) quote += 1;
        const end = this.#quotes[quote] ?? this.#containers.length;
        const last = this.#containers[end - 1];
        return end > matched && last?.kind === 'item' && !last.filled ? end - 1 : end;
      }
      const container = this.#containers[matched];
      if (container?.kind === 'quote') {
        if (line.indent > 3 || line.code !== GREATER_THAN) break;
        this.#stepIntoQuote();
      } else if (container) {
        if (line.indent < container.indent) break;
        line.skipColumns(container.indent);
      }
      matched += 1;
    }
    return matched;
  }

  #stepIntoQuote(): void {
    this.#line.skipSpace();
    this.#line.skip(1);
    if (this.#line.atSpace()) this.#line.skipColumns(1);
  }

  /** What the line is to the open leaf of containers that all go on; null when it does not belong to it. */
  #continueLeaf(): LineRole | null {
    const line = this.#line;
    const leaf = this.#leaf;
    const root = this.#containers.length === 0;
    switch (leaf.kind) {
      case 'fence': {
        if (line.indent <= 3 && closesFence(line.text, line.next, line.text.length, leaf.code, leaf.length)) {
          this.#leaf = NO_LEAF;
          return root ? CLOSE : OTHER;
        }
        if (!root) return OTHER;
        line.skipColumns(leaf.indent);
        return { role: 'content', text: line.rest() };
      }
      case 'html':
        if (leaf.html >= 6 && line.blank) return null;
        if (htmlBlockEnds(leaf.html, line.rest())) this.#leaf = NO_LEAF;
        return OTHER;
      case 'indented':
        return line.indent >= 4 || line.blank ? OTHER : null;
      default:
        return null;
    }
  }

  #openBlocks(matchedBefore: number): LineRole {
    const line = this.#line;
    let matched = matchedBefore;
    /** The open paragraph this line may still belong to, directly or lazily. */
    const paragraph = this.#leaf.kind === 'paragraph' && !line.blank;
    for (;;) {
      if (line.blank) {
        this.#closeTo(matched);
        return OTHER;
      }
      if (line.indent > 3) {
        if (paragraph && this.#leaf === PARAGRAPH) return this.#continueParagraph();
        this.#openLeaf(matched, INDENTED);
        return OTHER;
      }
      const container = this.#containerStart(paragraph && this.#inParagraph(matched));
      if (!container) break;
      this.#closeTo(matched);
      this.#push(container);
      matched += 1;
    }
    const lazy = paragraph && this.#leaf === PARAGRAPH;
    return this.#openLeafBlock(matched, lazy && this.#inParagraph(matched), lazy);
  }

  /** Whether a paragraph is open in the containers that go on, so that it need not be continued lazily. */
  #inParagraph(matched: number): boolean {
    return this.#leaf === PARAGRAPH && matched === this.#containers.length;
  }

  /** A container that begins here, stepped into; null when none does. */
  #containerStart(interrupts: boolean): Container | null {
    const line = this.#line;
    const { code } = line;
    if (code === GREATER_THAN) {
      this.#stepIntoQuote();
      return { kind: 'quote' };
    }
    if (code === HYPHEN || code === ASTERISK) {
      if (code === HYPHEN && interrupts && this.#isSetextUnderline()) return null;
      if (this.#isThematicBreak(code)) return null;
    }
    return this.#listItem(interrupts);
  }

  #listItem(interrupts: boolean): Item | null {
    const line = this.#line;
    const { text, next, indent } = line;
    const width = markerWidth(text, next);
    if (width === 0) return null;
    if (next + width < text.length && !isSpaceOrTab(text.charCodeAt(next + width))) return null;
    // Of ordered lists, only one that begins with exactly `1` may interrupt a paragraph.
    if (interrupts && isDigit(text.charCodeAt(next)) && !(width === 2 && text[next] === '1')) return null;
    line.skipSpace();
    line.skip(width);
    const spaces = line.indent;
    if (line.blank) {
      if (interrupts) return null;
      return { kind: 'item', indent: indent + width + 1, filled: false };
    }
    const padding = spaces > 4 ? 1 : spaces;
    line.skipColumns(padding);
    return { kind: 'item', indent: indent + width + padding, filled: true };
  }

  #isThematicBreak(code: number): boolean {
    const line = this.#line;
    if (!line.isOnly(code)) return false;
    const { text } = line;
    let count = 0;
    for (let i = line.next; i < text.length && count < 3; i++) if (text.charCodeAt(i) === code) count += 1;
    return count === 3;
  }

  #isSetextUnderline(): boolean {
    const { text, next, code } = this.#line;
    if (code !== EQUALS && code !== HYPHEN) return false;
    const end = text.length;
    return skipSpace(text, skipRun(text, next, end, code), end) >= end;
  }

  #openLeafBlock(matched: number, direct: boolean, lazy: boolean): LineRole {
    const line = this.#line;
    const { text, next, code } = line;
    if (code === BACKTICK || code === TILDE) {
      if (isFence(text, next, text.length)) return this.#openFence(matched, text, next, text.length, line.indent);
    } else if (code === HASH) {
      HEADING.lastIndex = next;
      if (HEADING.test(text)) return this.#openLeaf(matched, NO_LEAF);
    } else if (code === LESS_THAN) {
      const html = htmlBlockStart(text, next, direct);
      // A lone tag below a quoted or listed paragraph: its lazy continuation to some parsers, HTML to others.
      if (html === 7 && lazy) this.#ambiguous = true;
      else if (html) {
        const ends = htmlBlockEnds(html, text.slice(next));
        return this.#openLeaf(matched, ends ? NO_LEAF : { kind: 'html', html });
      }
    } else if (direct && this.#isSetextUnderline()) {
      if (this.#paragraphMayDefine && !(code === HYPHEN && this.#isThematicBreak(code))) this.#ambiguous = true;
      return this.#openLeaf(matched, NO_LEAF);
    } else if ((code === HYPHEN || code === ASTERISK || code === UNDERSCORE) && this.#isThematicBreak(code)) {
      return this.#openLeaf(matched, NO_LEAF);
    }
    if (!direct && !lazy) {
      this.#paragraphBrackets = code === BRACKET;
      this.#paragraphMayDefine = false;
      this.#openLeaf(matched, PARAGRAPH);
    }
    return this.#continueParagraph();
  }

  #continueParagraph(): LineRole {
    const { text, next } = this.#line;
    if (this.#paragraphBrackets && text.includes(']:', next)) this.#paragraphMayDefine = true;
    return OTHER;
  }

  /** The fence stands at `from` in a line that ends at `end`, below that many columns of white space. */
  #openFence(matched: number, text: string, from: number, end: number, indent: number): LineRole {
    const code = text.charCodeAt(from);
    const after = skipRun(text, from, end, code);
    this.#openLeaf(matched, { kind: 'fence', code, length: after - from, indent });
    if (this.#containers.length > 0) return OTHER;
    const info = skipSpace(text, after, end);
    return { role: 'open', info: text.slice(info, trimmedEnd(text, info, end)) };
  }

  #openLeaf(matched: number, leaf: Leaf): LineRole {
    this.#closeTo(matched);
    const tip = this.#containers[this.#containers.length - 1];
    if (tip?.kind === 'item') tip.filled = true;
    this.#leaf = leaf;
    return OTHER;
  }

  #push(container: Container): void {
    const tip = this.#containers[this.#containers.length - 1];
    if (tip?.kind === 'item') tip.filled = true;
    if (container.kind === 'quote') this.#quotes.push(this.#containers.length);
    this.#containers.push(container);
    this.#leaf = NO_LEAF;
  }

  #closeTo(matched: number): void {
    this.#leaf = NO_LEAF;
    // Setting an array's length is slow, even to what it is.
    if (this.#containers.length === matched) return;
    this.#containers.length = matched;
    while ((this.#quotes.at(-1) ?? -1) >= matched) this.#quotes.pop();
  }
}

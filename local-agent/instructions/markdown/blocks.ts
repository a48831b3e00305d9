/**
 * CommonMark's block structure, as far as it decides where a fenced code block stands: containers (block quotes,
 * list items), and the one open leaf (paragraph, fence, HTML block, indented code). One pass, a line at a time.
 * A line costs its length: containers are matched by consuming it, and a blank line skips list items at once.
 *
 * Where parsers differ the text is `ambiguous` from there on, and no fence counts any more: a lone HTML tag as lazy
 * continuation; and a setext underline below a paragraph that may be nothing but link reference definitions, which
 * are not parsed here and change the structure of blocks nowhere else.
 */
import type { HtmlKind } from './html-block.ts';
import { htmlBlockEnds, htmlBlockStart } from './html-block.ts';
import { isSpaceOrTab, LineCursor } from './line-cursor.ts';

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
  | { kind: 'fence'; char: string; length: number; indent: number }
  | { kind: 'html'; html: HtmlKind };

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
const FENCE_START = /(`{3,}|~{3,})[ \t]*(.*)$/y;
const HEADING = /#{1,6}(?:[ \t]|$)/y;
const BULLET = /[*+-]/y;
const ORDERED = /(\d{1,9})[.)]/y;

function at(pattern: RegExp, text: string, index: number): RegExpExecArray | null {
  pattern.lastIndex = index;
  return pattern.exec(text);
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
        if (line.indent > 3 || line.text[line.next] !== '>') break;
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
        if (this.#closesFence(leaf.char, leaf.length)) {
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

  #closesFence(char: string, length: number): boolean {
    const line = this.#line;
    const { text, next } = line;
    if (text[next] !== char || line.indent > 3) return false;
    let end = next;
    while (text[end] === char) end += 1;
    if (end - next < length) return false;
    while (isSpaceOrTab(text.charCodeAt(end))) end += 1;
    return end >= text.length;
  }

  #openBlocks(matchedBefore: number): LineRole {
    const line = this.#line;
    let matched = matchedBefore;
    /** The open paragraph this line may still belong to, directly or lazily. */
    const paragraph = this.#leaf.kind === 'paragraph' && !line.blank;
    const direct = () => paragraph && matched === this.#containers.length && this.#leaf === PARAGRAPH;
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
      const container = this.#containerStart(direct());
      if (!container) break;
      this.#closeTo(matched);
      this.#push(container);
      matched += 1;
    }
    return this.#openLeafBlock(matched, direct(), paragraph && this.#leaf === PARAGRAPH);
  }

  /** A container that begins here, stepped into; null when none does. */
  #containerStart(interrupts: boolean): Container | null {
    const line = this.#line;
    const char = line.text[line.next];
    if (char === '>') {
      this.#stepIntoQuote();
      return { kind: 'quote' };
    }
    if (char === undefined) return null;
    if (char === '-' || char === '*') {
      if (char === '-' && interrupts && this.#isSetextUnderline()) return null;
      if (this.#isThematicBreak(char)) return null;
    }
    return this.#listItem(interrupts);
  }

  #listItem(interrupts: boolean): Item | null {
    const line = this.#line;
    const { text, next, indent } = line;
    const ordered = at(ORDERED, text, next);
    const marker = ordered ?? at(BULLET, text, next);
    if (!marker) return null;
    const width = marker[0].length;
    const after = text.charCodeAt(next + width);
    if (!Number.isNaN(after) && !isSpaceOrTab(after)) return null;
    if (interrupts && ordered && ordered[1] !== '1') return null;
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

  #isThematicBreak(char: string): boolean {
    const line = this.#line;
    if (!line.isOnly(char)) return false;
    let count = 0;
    for (let i = line.next; i < line.text.length && count < 3; i++) if (line.text[i] === char) count += 1;
    return count === 3;
  }

  #isSetextUnderline(): boolean {
    const { text, next } = this.#line;
    const char = text[next];
    if (char !== '=' && char !== '-') return false;
    let end = next;
    while (text[end] === char) end += 1;
    while (isSpaceOrTab(text.charCodeAt(end))) end += 1;
    return end >= text.length;
  }

  #openLeafBlock(matched: number, direct: boolean, lazy: boolean): LineRole {
    const line = this.#line;
    const { text, next } = line;
    const char = text[next] ?? '';
    if (char === '`' || char === '~') {
      const fence = at(FENCE_START, text, next);
      if (fence && !(char === '`' && fence[2]?.includes('`'))) return this.#openFence(matched, fence);
    } else if (char === '#') {
      if (at(HEADING, text, next)) return this.#openLeaf(matched, NO_LEAF);
    } else if (char === '<') {
      const html = htmlBlockStart(text, next, direct);
      // A lone tag below a quoted or listed paragraph: its lazy continuation to some parsers, HTML to others.
      if (html === 7 && lazy) this.#ambiguous = true;
      else if (html) {
        const ends = htmlBlockEnds(html, text.slice(next));
        return this.#openLeaf(matched, ends ? NO_LEAF : { kind: 'html', html });
      }
    } else if (direct && this.#isSetextUnderline()) {
      if (this.#paragraphMayDefine && !(char === '-' && this.#isThematicBreak(char))) this.#ambiguous = true;
      return this.#openLeaf(matched, NO_LEAF);
    } else if ((char === '-' || char === '*' || char === '_') && this.#isThematicBreak(char)) {
      return this.#openLeaf(matched, NO_LEAF);
    }
    if (!direct && !lazy) {
      this.#paragraphBrackets = char === '[';
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

  #openFence(matched: number, fence: RegExpExecArray): LineRole {
    const sequence = fence[1] ?? '';
    const indent = this.#line.indent;
    this.#openLeaf(matched, { kind: 'fence', char: sequence[0] ?? '', length: sequence.length, indent });
    return this.#containers.length === 0 ? { role: 'open', info: (fence[2] ?? '').replace(/[ \t]+$/, '') } : OTHER;
  }

  #openLeaf(matched: number, leaf: Leaf): LineRole {
    this.#closeTo(matched);
    const tip = this.#containers.at(-1);
    if (tip?.kind === 'item') tip.filled = true;
    this.#leaf = leaf;
    return OTHER;
  }

  #push(container: Container): void {
    const tip = this.#containers.at(-1);
    if (tip?.kind === 'item') tip.filled = true;
    if (container.kind === 'quote') this.#quotes.push(this.#containers.length);
    this.#containers.push(container);
    this.#leaf = NO_LEAF;
  }

  #closeTo(matched: number): void {
    this.#containers.length = matched;
    while ((this.#quotes.at(-1) ?? -1) >= matched) this.#quotes.pop();
    this.#leaf = NO_LEAF;
  }
}

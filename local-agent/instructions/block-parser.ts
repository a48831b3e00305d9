/**
 * The block structure of a Markdown text by markdown-it, with its block rules only and with bounded work.
 *
 * A rule that runs before all others counts what the parser looks at and ends the parsing at a limit. Without it some
 * texts of quotes cost the square of their length, and deep nesting multiplies the cost of every line.
 *
 * Link reference definitions are parsed as paragraphs, since markdown-it ends a paragraph after them where CommonMark
 * continues it. They affect the structure only when an underline follows them; a text where that may be is refused.
 */
import type { StateBlock, Token } from 'markdown-it';
import MarkdownIt from 'markdown-it';

/** How many containers may surround a line. A list counts twice, once for its item. */
const MAX_NESTING = 50;
/** A step costs about 0.4 µs. A message of 512 KiB as assistants write them takes about half of these. */
const MAX_STEPS = 200_000;
/** What a new block costs, where one look at a line is one step. */
const STEPS_PER_BLOCK = 8;
const CHARS_PER_STEP = 16;
/** The chains of rules that decide whether a line ends a block. */
const TERMINATOR_CHAINS = ['paragraph', 'blockquote', 'list'];
/** CommonMark reads NUL as U+FFFD. In blocks it knows no white space but this; markdown-it takes any in HTML tags. */
const NO_SPACE = /\0|[^\S \t\n]/g;
const MAY_BE_DEFINITIONS = /^\[.*\]:/s;
const THEMATIC_BREAK = /(?<!-)-{3,}[ \t]*$/;

/** The text is not parsed, because it takes too much work or its structure is ambiguous. */
export class UnreadableError extends Error {
  readonly code: 'message_too_complex' | 'message_ambiguous';

  constructor(code: UnreadableError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** @throws UnreadableError when an underlined heading may consist of link definitions only */
function refuseAmbiguousHeadings(tokens: readonly Token[], lines: readonly string[]): void {
  for (const [index, { type, markup, map }] of tokens.entries()) {
    if (type !== 'heading_open' || markup.startsWith('#')) continue;
    const underline = map?.[1] ?? 0;
    // Three hyphens end the paragraph in both readings.
    if (THEMATIC_BREAK.test(lines[underline - 1] ?? '')) continue;
    if (!MAY_BE_DEFINITIONS.test(tokens[index + 1]?.content ?? '')) continue;
    const hint = 'a blank line above it makes that clear';
    throw new UnreadableError(
      'message_ambiguous',
      `line ${underline} underlines a heading or link definitions; ${hint}`,
    );
  }
}

export class BlockParser {
  /** The library's own limit of nesting would silently drop the rest of the text, so `#count` limits the nesting. */
  readonly #markdown = new MarkdownIt('commonmark', { maxNesting: Number.POSITIVE_INFINITY });
  #steps = 0;

  constructor() {
    const { ruler } = this.#markdown.block;
    ruler.before('code', 'count_steps', (...call) => this.#count(...call), { alt: TERMINATOR_CHAINS });
    ruler.disable('reference');
  }

  /** The tokens of a text that is given in lines. @throws UnreadableError */
  parse(lines: readonly string[]): Token[] {
    const tokens: Token[] = [];
    this.#steps = 0;
    this.#spend(lines.length);
    this.#markdown.block.parse(lines.join('\n').replace(NO_SPACE, '\ufffd'), this.#markdown, {}, tokens);
    refuseAmbiguousHeadings(tokens, lines);
    return tokens;
  }

  /** A rule that matches nothing. It is called at each new block and, `silent`, at each line that might end a block. */
  #count(state: StateBlock, line: number, endLine: number, silent: boolean): false {
    if (state.level > MAX_NESTING) {
      throw new UnreadableError('message_too_complex', `it nests deeper than ${MAX_NESTING} levels`);
    }
    const start = state.bMarks[line] ?? 0;
    const length = (state.eMarks[line] ?? 0) - start;
    // A list looks for its next item silently.
    const isBlock = !silent || state.parentType === 'list';
    this.#spend((isBlock ? STEPS_PER_BLOCK : 1) + length / CHARS_PER_STEP);
    // A quote examines every line up to a blank one, even if only the first belongs to it.
    if (!silent && state.src[start + (state.tShift[line] ?? 0)] === '>') {
      let end = line;
      while (end < endLine && !state.isEmpty(end)) end += 1;
      this.#spend(end - line);
    }
    return false;
  }

  #spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps <= MAX_STEPS) return;
    throw new UnreadableError('message_too_complex', 'it has too many lines, blocks or quotes');
  }
}

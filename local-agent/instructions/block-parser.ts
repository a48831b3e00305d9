/**
 * The block structure of a Markdown text by markdown-it, with its block rules only and with bounded work.
 *
 * A rule that runs before all others counts what the parser looks at and ends the parsing at a limit. Without it some
 * texts of quotes cost the square of their length, and deep nesting multiplies the cost of every line.
 *
 * Link reference definitions are read as paragraphs: markdown-it ends a paragraph behind them, where CommonMark goes on
 * with it. They decide the structure in one place only, when an underline follows; such a text is refused.
 */
import type { StateBlock, Token } from 'markdown-it';
import MarkdownIt from 'markdown-it';

/** Containers that a line may stand in; a list counts twice, once for its item. */
const MAX_NESTING = 50;
/** A step costs about 0.4 µs. A message of 512 KiB as assistants write them takes about a third of these. */
const MAX_STEPS = 300_000;
/** What a new block costs, where one look at a line is one step. */
const STEPS_PER_BLOCK = 8;
const CHARS_PER_STEP = 16;
/** The chains of rules that decide whether a line ends a block. */
const TERMINATOR_CHAINS = ['paragraph', 'blockquote', 'list'];
/** CommonMark reads NUL as U+FFFD. In blocks it knows no white space but this; markdown-it takes any in HTML tags. */
const NO_SPACE = /\0|[^\S \t\n]/g;
const MAY_BE_DEFINITIONS = /^\[.*\]:/s;
const THEMATIC_BREAK = /-{3,}[ \t]*$/;

/** A text whose blocks are not read: it takes too much work, or its structure is not certain. */
export class UnreadableError extends Error {
  readonly code: 'message_too_complex' | 'message_ambiguous';

  constructor(code: UnreadableError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** @throws UnreadableError when an underlined heading may consist of nothing but link definitions */
function refuseUncertainHeadings(tokens: readonly Token[], lines: readonly string[]): void {
  for (const [index, { type, markup, map }] of tokens.entries()) {
    if (type !== 'heading_open' || markup.startsWith('#')) continue;
    const underline = map?.[1] ?? 0;
    // Three hyphens end the paragraph in both readings.
    if (THEMATIC_BREAK.test(lines[underline - 1] ?? '')) continue;
    if (!MAY_BE_DEFINITIONS.test(tokens[index + 1]?.content ?? '')) continue;
    const hint = 'a blank line above it makes that certain';
    throw new UnreadableError(
      'message_ambiguous',
      `line ${underline} underlines a heading or link definitions; ${hint}`,
    );
  }
}

export class BlockParser {
  /** Its own limit of nesting leaves out what lies deeper, and all after it; `#count` refuses the text instead. */
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
    refuseUncertainHeadings(tokens, lines);
    return tokens;
  }

  /** Called at each new block and, `silent`, at each line that might end a block. Matches nothing. */
  #count(state: StateBlock, line: number, endLine: number, silent: boolean): false {
    if (state.level > MAX_NESTING) {
      throw new UnreadableError('message_too_complex', `it nests deeper than ${MAX_NESTING} levels`);
    }
    const start = state.bMarks[line] ?? 0;
    const length = (state.eMarks[line] ?? 0) - start;
    // A list looks for its next item silently.
    const isBlock = !silent || state.parentType === 'list';
    this.#spend((isBlock ? STEPS_PER_BLOCK : 1) + length / CHARS_PER_STEP);
    // A quote looks at every line up to a blank one, even if only the first belongs to it.
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

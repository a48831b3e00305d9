/**
 * Where an HTML block of CommonMark begins and ends (its seven kinds). Inside one nothing is a fence. Hand-written
 * scanning instead of one regular expression: a megabyte of attributes must neither backtrack nor overflow.
 */
import { isSpaceOrTab, skipSpace } from './chars.ts';

export type HtmlKind = 1 | 2 | 3 | 4 | 5 | 6 | 7;

const RAW_NAMES = new Set(['pre', 'script', 'style', 'textarea']);
const BLOCK_NAMES = new Set(
  (
    'address article aside base basefont blockquote body caption center col colgroup dd details dialog dir div dl dt ' +
    'fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html iframe legend li link ' +
    'main menu menuitem nav noframes ol optgroup option p param search section summary table tbody td tfoot th thead ' +
    'title tr track ul'
  ).split(' '),
);
const LONGEST_NAME = 64;
const NAME = /[A-Za-z][A-Za-z0-9-]*/y;
const ATTRIBUTE_NAME = /[A-Za-z_:][A-Za-z0-9:._-]*/y;
const UNQUOTED = /[^\s"'=<>`]+/y;
const END: Record<1 | 2 | 3 | 4 | 5, RegExp> = {
  1: /<\/(?:script|pre|textarea|style)>/i,
  2: /-->/,
  3: /\?>/,
  4: />/,
  5: /\]\]>/,
};

function match(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}

/** After a quoted or unquoted value at `from`, or -1. */
function skipValue(text: string, from: number): number {
  const quote = text[from];
  if (quote === '"' || quote === "'") return text.indexOf(quote, from + 1) + 1 || -1;
  const value = match(UNQUOTED, text, from);
  return value === null ? -1 : from + value.length;
}

/** After the `>` of an open tag whose attributes begin at `from`, or -1. */
function skipAttributes(text: string, from: number): number {
  let at = from;
  for (;;) {
    const next = skipSpace(text, at, text.length);
    if (text[next] === '>') return next + 1;
    if (text[next] === '/') return text[next + 1] === '>' ? next + 2 : -1;
    const name = next > at ? match(ATTRIBUTE_NAME, text, next) : null;
    if (name === null) return -1;
    at = next + name.length;
    const equals = skipSpace(text, at, text.length);
    if (text[equals] === '=') {
      at = skipValue(text, skipSpace(text, equals + 1, text.length));
      if (at < 0) return -1;
    }
  }
}

/** The kind of HTML block that begins at `at`, where `<` stands, or null. Kind 7 cannot interrupt a paragraph. */
export function htmlBlockStart(text: string, at: number, interrupts: boolean): HtmlKind | null {
  if (text.startsWith('<!--', at)) return 2;
  if (text.startsWith('<?', at)) return 3;
  if (text.startsWith('<![CDATA[', at)) return 5;
  if (text.startsWith('<!', at)) return /[A-Za-z]/.test(text[at + 2] ?? '') ? 4 : null;
  const closing = text[at + 1] === '/';
  const nameAt = at + (closing ? 2 : 1);
  const name = match(NAME, text, nameAt);
  if (name === null) return null;
  const after = nameAt + name.length;
  const next = text[after];
  const plainEnd = next === undefined || next === '>' || isSpaceOrTab(text.charCodeAt(after));
  if (name.length <= LONGEST_NAME) {
    const lower = name.toLowerCase();
    if (!closing && plainEnd && RAW_NAMES.has(lower)) return 1;
    if (BLOCK_NAMES.has(lower)) return plainEnd || (next === '/' && text[after + 1] === '>') ? 6 : null;
  }
  if (interrupts) return null;
  const close = skipSpace(text, after, text.length);
  const end = closing ? (text[close] === '>' ? close + 1 : -1) : skipAttributes(text, after);
  return end >= 0 && skipSpace(text, end, text.length) >= text.length ? 7 : null;
}

/** Whether a block of that kind ends with this line. Kinds 6 and 7 end before a blank line instead. */
export function htmlBlockEnds(kind: HtmlKind, line: string): boolean {
  return kind <= 5 && END[kind as 1].test(line);
}

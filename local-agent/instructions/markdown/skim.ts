/**
 * Passes over lines while neither a fence nor an HTML block is open at the root. Most lines then change nothing that a
 * later line could not do without, and need not be understood:
 *
 * - A fence or HTML block at the root begins with its own character, after white space at most; and the readings of
 *   parsers part at a tag or an underline only. A line that may be one of these, if only in a quote, ends the skimming.
 * - A blank line ends every paragraph and quote, and an item asks for two columns at least of each line with text. So
 *   what begins in the first column below a blank line stands at the root, whatever came before: it is read right by
 *   who begins to read with it. So is a fence in the first column, which interrupts paragraphs (`fence`).
 */
import {
  BACKTICK,
  EQUALS,
  GREATER_THAN,
  HYPHEN,
  isFence,
  isSpaceOrTab,
  LESS_THAN,
  LF,
  skipRun,
  skipSpace,
  TILDE,
} from './chars.ts';
import type { LineEnds } from './line-ends.ts';

interface Skimmed {
  /** Where the line begins that may matter; the text's length when none does. */
  at: number;
  /** How many lines stand before it. */
  lines: number;
  /** It is a fence in the first column, which stands at the root whatever came before it. */
  fence: boolean;
  /** To understand another, reading must begin here at the latest. */
  since: number;
  /** Whether reading then begins as at the beginning of a document. */
  anew: boolean;
}

/**
 * Whether a line that begins with that character is text as far as the root is concerned: not blank, in the first
 * column, no quote, fence, tag or underline. All letters are such characters: most lines need no further look.
 */
function isPlain(code: number): boolean {
  return code > GREATER_THAN && code !== BACKTICK && code !== TILDE;
}

/** Whether the line from `from` to `end`, which is not blank, may matter to the root. */
function matters(text: string, from: number, end: number): boolean {
  let at = from;
  let code = text.charCodeAt(at);
  while (code === GREATER_THAN || isSpaceOrTab(code)) {
    at += 1;
    if (at >= end) return false;
    code = text.charCodeAt(at);
  }
  if (code === BACKTICK || code === TILDE) return isFence(text, at, end);
  if (code === EQUALS || code === HYPHEN) return skipSpace(text, skipRun(text, at, end, code), end) >= end;
  return code === LESS_THAN;
}

/** Looks at the lines from `from` on, the first of which may stand below anything but a root fence or HTML block. */
export function skim(text: string, ends: LineEnds, from: number): Skimmed {
  let since = from;
  let anew = false;
  let lines = 0;
  let belowBlank = false;
  let start = from;
  for (; start < text.length; lines += 1) {
    const first = text.charCodeAt(start);
    // An empty line, one in four of a message, is not worth a search.
    const end = first === LF ? start : ends.end(start);
    const plain = isPlain(first);
    if (!plain && skipSpace(text, start, end) === end) {
      belowBlank = true;
    } else {
      if (belowBlank && !isSpaceOrTab(first)) {
        since = start;
        anew = true;
      }
      belowBlank = false;
      if (!plain && matters(text, start, end)) {
        const fence = first === BACKTICK || first === TILDE;
        return { at: start, lines, fence, since, anew };
      }
    }
    start = ends.after(end);
  }
  return { at: start, lines, fence: false, since, anew };
}

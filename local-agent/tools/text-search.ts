/**
 * Finding a text, and showing where it is. One match is reported for each line. Long texts are searched in short turns: a
 * text of repeated characters can make even the search for a plain text slow.
 */
import type { Turns } from '../lib/turns.ts';

/** The part of a text that matches. */
export interface TextMatch {
  start: number;
  end: number;
}

/** Finds the first matches in a text, one for each line; null when that takes too much. */
export type FindMatches = (text: string, most: number) => Promise<TextMatch[] | null>;

const MAX_LINE_CHARS = 300;
/** How many characters before a match are shown when its line is cut. */
const CHARS_BEFORE = 100;
const MAX_LINES_OF_MATCH = 5;
const CHARS_PER_TURN = 64 * 1024;

/** The text without regard to case, each character at its place. */
export function foldCase(text: string): string {
  return text.replaceAll('İ', 'i').toLowerCase().replaceAll('ς', 'σ');
}

async function indexOfInTurns(text: string, sought: string, from: number, turns: Turns): Promise<number> {
  for (let at = from; at < text.length; at += CHARS_PER_TURN) {
    const found = text.slice(at, at + CHARS_PER_TURN + sought.length - 1).indexOf(sought);
    if (found >= 0) return at + found;
    await turns.pass();
  }
  return -1;
}

/** The start of the line behind a match. */
export function nextLine(text: string, { start, end }: TextMatch): number {
  const lineEnd = text.indexOf('\n', Math.max(start, end - 1));
  return lineEnd < 0 ? text.length : lineEnd + 1;
}

/** Finds a plain text. */
export function plainFinder(text: string, ignoreCase: boolean, turns: Turns): FindMatches {
  const sought = ignoreCase ? foldCase(text) : text;
  return async (whole, most) => {
    const searched = ignoreCase ? foldCase(whole) : whole;
    const found: TextMatch[] = [];
    for (let from = 0; found.length < most; ) {
      const start = await indexOfInTurns(searched, sought, from, turns);
      if (start < 0) break;
      const match = { start, end: start + sought.length };
      found.push(match);
      from = nextLine(searched, match);
    }
    return found;
  };
}

/** A line, or the part of a longer one around the character number `at`, with its column. */
function shownLine(line: string, at: number): string {
  if (line.length <= MAX_LINE_CHARS) return ` ${line}`;
  const from = Math.max(0, Math.min(at - CHARS_BEFORE, line.length - MAX_LINE_CHARS));
  const to = from + MAX_LINE_CHARS;
  const part = line.slice(from, to).toWellFormed();
  return `${at + 1}: ${from > 0 ? '…' : ''}${part}${to < line.length ? '…' : ''}`;
}

/** The lines of each match, as `line: text` or, when the line is cut, `line:column: …text…`. */
export function shownMatches(text: string, matches: readonly TextMatch[]): string[][] {
  let number = 1;
  let lineStart = 0;
  return matches.map(({ start, end }) => {
    for (let next = text.indexOf('\n', lineStart); next >= 0 && next < start; next = text.indexOf('\n', lineStart)) {
      lineStart = next + 1;
      number += 1;
    }
    const lineEnd = text.indexOf('\n', Math.max(start, end - 1));
    const lines = text.slice(lineStart, lineEnd < 0 ? text.length : lineEnd).split('\n');
    const shown = lines.slice(0, MAX_LINES_OF_MATCH).map((line, index) => {
      return `${number + index}:${shownLine(line, index === 0 ? start - lineStart : 0)}`;
    });
    const left = lines.length - shown.length;
    return left > 0 ? [...shown, `${number + shown.length}: … ${left} more lines of this match`] : shown;
  });
}

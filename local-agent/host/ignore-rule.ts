/**
 * One line of an ignore file, by the rules of Git (`gitignore(5)` and its `wildmatch`). Texts are strings of bytes, one
 * character for each byte: Git compares bytes, and an ignore file may hold any.
 */
import { readCharSet } from '../lib/char-set.ts';
import type { Step } from '../lib/wildcard.ts';
import { anyChar, anyFolders, literally, matchesAll, SLASH, withinName } from '../lib/wildcard.ts';

export interface IgnoreRule {
  /** A rule with `!`, which takes a name back in. */
  negated: boolean;
  foldersOnly: boolean;
  /** Compared with the path below the ignore file's folder; otherwise with the name alone. */
  wholePath: boolean;
  /** How much work a comparison is, for each character. */
  weight: number;
  matches: (text: string) => boolean;
}

/** The text as one character for each of its bytes in UTF-8. */
export function toByteText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The line without the spaces at its end, as Git removes them: a backslash keeps the one behind it. */
function withoutEndSpaces(line: string): string {
  let end: number | null = null;
  for (let i = 0; i < line.length; i++) {
    if (line[i] === ' ') end ??= i;
    else end = null;
    if (line[i] === '\\') i += 1;
    if (i >= line.length) return line;
  }
  return end === null ? line : line.slice(0, end);
}

/** Adds the steps of the stars that start at `at`. Returns the position behind what they cover. */
function addStars(steps: Step[], pattern: string, at: number): number {
  let end = at;
  while (pattern[end] === '*') end += 1;
  const isFolders = end - at > 1 && (at === 0 || pattern[at - 1] === '/');
  if (isFolders && pattern[end] === '/') {
    steps.push(...anyFolders(steps.length));
    return end + 1;
  }
  const crosses = isFolders && (end === pattern.length || pattern.startsWith('\\/', end));
  steps.push({ kind: 'many', accepts: crosses ? anyChar : withinName });
  return end;
}

/** The other case of a lower-case letter of ASCII; every other character is itself. */
function upperOf(char: number): number {
  return char >= 0x61 && char <= 0x7a ? char - 0x20 : char;
}

function lowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** The steps of a pattern; null when nothing can match it. With `foldCase` they match text in lower case. */
function compile(pattern: string, foldCase: boolean): Step[] | null {
  const steps: Step[] = [];
  for (let i = 0; i < pattern.length; ) {
    const char = pattern[i] ?? '';
    if (char === '*') {
      i = addStars(steps, pattern, i);
    } else if (char === '?') {
      steps.push({ kind: 'one', accepts: withinName });
      i += 1;
    } else if (char === '[') {
      const set = readCharSet(pattern, i + 1);
      if (set === null) return null;
      const { accepts } = set;
      const fits = foldCase ? (unit: number) => accepts(unit) || accepts(upperOf(unit)) : accepts;
      steps.push({ kind: 'one', accepts: (unit) => unit !== SLASH && fits(unit) });
      i = set.end;
    } else {
      const escaped = char === '\\';
      const literal = escaped ? pattern[i + 1] : char;
      if (literal === undefined) return null;
      steps.push(...literally(foldCase ? lowerCase(literal) : literal));
      i += escaped ? 2 : 1;
    }
  }
  return steps;
}

function matcherOf(pattern: string, foldCase: boolean): Pick<IgnoreRule, 'weight' | 'matches'> {
  const folded = foldCase ? lowerCase : (text: string) => text;
  const firstWild = pattern.search(/[*?[\\]/);
  // Git compares the text before the first wildcard by itself; what follows counts as the start of a pattern.
  const prefix = folded(firstWild < 0 ? pattern : pattern.slice(0, firstWild));
  if (firstWild < 0) return { weight: 0, matches: (text) => folded(text) === prefix };
  const rest = compile(pattern.slice(firstWild), foldCase);
  if (rest === null) return { weight: 0, matches: () => false };
  const matches = (text: string) => {
    const compared = folded(text);
    return compared.startsWith(prefix) && matchesAll(rest, compared.slice(prefix.length));
  };
  return { weight: rest.length, matches };
}

/**
 * The rule of a line of bytes; null for a comment and a line that says nothing.
 *
 * @param foldCase the file system treats upper and lower case as the same
 */
export function parseIgnoreLine(line: string, foldCase: boolean): IgnoreRule | null {
  if (line.startsWith('#')) return null;
  // Git reads lines as C strings, which end at a NUL.
  const [text = ''] = line.replace(/\r$/, '').split('\0', 1);
  let pattern = withoutEndSpaces(text);
  const negated = pattern.startsWith('!');
  if (negated) pattern = pattern.slice(1);
  const foldersOnly = pattern.endsWith('/');
  if (foldersOnly) pattern = pattern.slice(0, -1);
  if (pattern === '') return null;
  const wholePath = pattern.includes('/');
  return { negated, foldersOnly, wholePath, ...matcherOf(pattern.replace(/^\//, ''), foldCase) };
}

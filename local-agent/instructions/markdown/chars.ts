/** The characters that Markdown's blocks are made of, as codes, and runs of them. Nothing here reads past its `end`. */

export const TAB = 9;
export const LF = 10;
export const SPACE = 32;
export const HASH = 35;
export const ASTERISK = 42;
export const PLUS = 43;
export const HYPHEN = 45;
export const LESS_THAN = 60;
export const EQUALS = 61;
export const GREATER_THAN = 62;
export const BRACKET = 91;
export const UNDERSCORE = 95;
export const BACKTICK = 96;
export const TILDE = 126;

export function isSpaceOrTab(code: number): boolean {
  return code === SPACE || code === TAB;
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** After the run of `code` that begins at `from`. */
export function skipRun(text: string, from: number, end: number, code: number): number {
  let at = from;
  while (at < end && text.charCodeAt(at) === code) at += 1;
  return at;
}

/** After the spaces and tabs that begin at `from`. */
export function skipSpace(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && isSpaceOrTab(text.charCodeAt(at))) at += 1;
  return at;
}

/** Where the spaces and tabs before `end` begin, at least `from`. */
export function trimmedEnd(text: string, from: number, end: number): number {
  let at = end;
  while (at > from && isSpaceOrTab(text.charCodeAt(at - 1))) at -= 1;
  return at;
}

/** Whether a fence begins at `from`, in a line up to `end`. */
export function isFence(text: string, from: number, end: number): boolean {
  const code = text.charCodeAt(from);
  if (code !== BACKTICK && code !== TILDE) return false;
  const after = skipRun(text, from, end, code);
  if (after - from < 3) return false;
  // A fence of backticks has none in its info string: it would be code within a line.
  if (code === BACKTICK) for (let at = after; at < end; at++) if (text.charCodeAt(at) === BACKTICK) return false;
  return true;
}

/** Whether a fence of `length` times `code` ends where `from` is: nothing but as many of it and white space. */
export function closesFence(text: string, from: number, end: number, code: number, length: number): boolean {
  const after = skipRun(text, from, end, code);
  return after - from >= length && skipSpace(text, after, end) >= end;
}

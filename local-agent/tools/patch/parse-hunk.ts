/**
 * Parses one hunk. The counts in its header decide where it ends, as in git. When they do not fit the lines that follow,
 * the hunk is counted again, as long as it is clear where it ends.
 */
import { showLine } from './byte-text.ts';
import { invalidPatch, unsupportedPatch } from './patch-error.ts';

export interface Hunk {
  /** The line of its header in the patch, from 1. */
  line: number;
  header: string;
  /** The line, from 0, at which it applies after the hunks before it; null when the header has no numbers. */
  at: number | null;
  /** Whether the header's counts are those of the lines. Otherwise its numbers were made up. */
  isCounted: boolean;
  /** By its numbers it belongs at the beginning of the file. */
  isFirst: boolean;
  /** Its last line is context, so it need not be at the end of the file. */
  hasTrailingContext: boolean;
  /** The lines before and after, with their line breaks. */
  before: string[];
  after: string[];
  /** The lines of the patch that hold the lines of `before`. */
  beforeAt: number[];
}

/** The lines of a patch, and which is read next. */
export interface Cursor {
  readonly lines: readonly string[];
  at: number;
}

const NUMBERED = /^@@ *-(\d+)(?:,(\d+))? +\+(\d+)(?:,(\d+))? *(?:@@|\s*$)/;
const UNNUMBERED = /^@@(?!@)/;
/** Lines that no hunk contains and that begin another part of a patch or of a mail. */
const BEHIND =
  /^(?:@@|diff --git |Index: |index [0-9a-f]|={3,}\s*$|Only in |Binary files |From [0-9a-f]{40} |\*\*\* End)/;
const VERSION = /^\d+\.\d+/;
const NO_NEWLINE = /^\\ /;

export function isHunkHeader(line: string | undefined): boolean {
  return line !== undefined && UNNUMBERED.test(line);
}

/** Whether a line `---` and a line `+++` begin the part of a file. */
export function isFileHeader({ lines }: Cursor, at: number): boolean {
  return Boolean(lines[at]?.startsWith('--- ') && lines[at + 1]?.startsWith('+++ '));
}

function isSignature({ lines }: Cursor, at: number): boolean {
  return /^-- ?\r?$/.test(lines[at] ?? '') && VERSION.test(lines[at + 1] ?? '');
}

/** Whether the hunk has surely ended before that line. */
function isBehind(cursor: Cursor, at: number): boolean {
  const line = cursor.lines[at];
  if (line === undefined || BEHIND.test(line) || isSignature(cursor, at)) return true;
  return isFileHeader(cursor, at) && isHunkHeader(cursor.lines[at + 2]);
}

function isBlank(line: string | undefined): boolean {
  return line === '' || line === '\r';
}

function isBody(line: string | undefined): boolean {
  return line !== undefined && (isBlank(line) || ' +-\\'.includes(line.charAt(0)));
}

/** The end of the hunk by the counts of its header; null when the lines do not fit them. */
function countedEnd({ lines }: Cursor, from: number, counts: { old: number; new: number }): number | null {
  let { old, new: fresh } = counts;
  let at = from;
  for (; old > 0 || fresh > 0; at += 1) {
    const line = lines[at];
    if (line === undefined || !isBody(line)) return null;
    if (NO_NEWLINE.test(line)) continue;
    const first = isBlank(line) ? ' ' : line.charAt(0);
    if (first === '\\') return null;
    if (first !== '+') old -= 1;
    if (first !== '-') fresh -= 1;
  }
  if (old < 0 || fresh < 0) return null;
  return NO_NEWLINE.test(lines[at] ?? '') ? at + 1 : at;
}

/** Whether added or removed lines of the hunk follow its counted end, so that the counts are too small. */
function isContinued(cursor: Cursor, end: number): boolean {
  for (let at = end; !isBehind(cursor, at); at += 1) {
    const line = cursor.lines[at] ?? '';
    if (/^-- ?\r?$/.test(line)) return false;
    if (/^[-+]/.test(line)) return true;
    if (!line.startsWith(' ')) return false;
  }
  return false;
}

/** The end of the hunk by its lines alone. @throws PatchError when it is not clear */
function recountedEnd(cursor: Cursor, from: number, header: string): number {
  const { lines } = cursor;
  let at = from;
  while (!isBehind(cursor, at)) {
    const line = lines[at] ?? '';
    if (!isBody(line)) {
      const what = `${showLine(line)} in the hunk ${showLine(header)} begins neither with a blank (context), nor with - or +`;
      throw invalidPatch(at + 1, `${what}, and the counts in the hunk's header do not say that it ends before`);
    }
    at += 1;
  }
  // Blank lines at the end may be context or belong to what follows; without them the hunk says the same.
  while (at > from && isBlank(lines[at - 1])) at -= 1;
  return at;
}

type Body = Pick<Hunk, 'before' | 'after' | 'beforeAt' | 'hasTrailingContext'>;

function readBody({ lines }: Cursor, from: number, to: number): Body & { isChange: boolean } {
  const body = { before: [] as string[], after: [] as string[], beforeAt: [] as number[] };
  let last = ' ';
  let isChange = false;
  for (let at = from; at < to; at += 1) {
    const line = lines[at] ?? '';
    if (NO_NEWLINE.test(line)) continue;
    last = isBlank(line) ? ' ' : line.charAt(0);
    if (last !== ' ') isChange = true;
    const content = isBlank(line) ? line : line.slice(1);
    const text = NO_NEWLINE.test(lines[at + 1] ?? '') && at + 1 < to ? content : `${content}\n`;
    if (last !== '+') {
      body.before.push(text);
      body.beforeAt.push(at + 1);
    }
    if (last !== '-') body.after.push(text);
  }
  const isOpen = (side: string[]) => side.slice(0, -1).some((text) => !text.endsWith('\n'));
  if (isOpen(body.before) || isOpen(body.after)) {
    throw invalidPatch(from, 'a line without a line break ("\\ No newline at end of file") is not the last one');
  }
  return { ...body, hasTrailingContext: last === ' ', isChange };
}

/** Parses the hunk whose header the cursor is at, and moves the cursor behind it. @throws PatchError */
export function parseHunk(cursor: Cursor): Hunk {
  const line = cursor.at + 1;
  const header = (cursor.lines[cursor.at] ?? '').trimEnd();
  if (header.startsWith('@@@')) throw unsupportedPatch(line, 'a diff of a merge (@@@) cannot be applied');
  const from = cursor.at + 1;
  const numbers = NUMBERED.exec(header);
  const count = (text: string | undefined) => (text === undefined ? 1 : Number(text));
  const end = numbers && countedEnd(cursor, from, { old: count(numbers[2]), new: count(numbers[4]) });
  const isCounted = end !== null && !isContinued(cursor, end);
  cursor.at = isCounted ? end : recountedEnd(cursor, from, header);
  const { isChange, ...body } = readBody(cursor, from, cursor.at);
  if (!isChange) throw invalidPatch(line, `the hunk ${showLine(header)} changes nothing: it has no line with - or +`);
  return {
    line,
    header,
    at: numbers ? Math.max(0, Number(numbers[3]) - 1) : null,
    isCounted,
    isFirst: Number(numbers?.[1] ?? 2) <= 1,
    ...body,
  };
}

/** The lines of a file, numbered so that lines of hunks are compared with them as integers. */
import type { Hunk } from './parse-hunk.ts';
import { PatchError } from './patch-error.ts';
import type { Work } from './work.ts';
import { STEPS_PER_TURN } from './work.ts';

const MAX_LINES = 2_000_000;
/** The number of a line that is in no hunk. */
const OTHER = 0;

export interface FileLines {
  /** The content as byte text. */
  text: string;
  count: number;
  /** Where each line starts, and where the last one ends. */
  starts: Uint32Array;
  /** The same number for lines of the same text. */
  numbers: Int32Array;
  /** The number of a line of a hunk. */
  numberOf(line: string): number;
}

async function countLines(text: string, work: Work): Promise<number> {
  let count = text.endsWith('\n') || text === '' ? 0 : 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    count += 1;
    if (count % STEPS_PER_TURN === 0) await work.spend(STEPS_PER_TURN);
    if (count > MAX_LINES) throw new PatchError('patch_too_large', `the file has more than ${MAX_LINES} lines`);
  }
  return count;
}

/** Which line breaks a text has. */
function lineBreaksOf(text: string): 'lf' | 'crlf' | 'mixed' | 'none' {
  let crlf = 0;
  let lf = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    if (text.charCodeAt(at - 1) === 0x0d) crlf += 1;
    else lf += 1;
    if (crlf > 0 && lf > 0) return 'mixed';
  }
  return crlf > 0 ? 'crlf' : lf > 0 ? 'lf' : 'none';
}

/** The hunks with the line breaks of the file, when all of the file has one kind and all of the hunks the other. */
function withLineBreaksOf(text: string, hunks: readonly Hunk[]): readonly Hunk[] {
  const file = lineBreaksOf(text);
  if (file !== 'crlf' && file !== 'lf') return hunks;
  const patch = lineBreaksOf(hunks.map(({ before, after }) => before.join('') + after.join('')).join(''));
  if (patch === file || patch === 'mixed' || patch === 'none') return hunks;
  const convert = (line: string) => (file === 'crlf' ? line.replace(/\n$/, '\r\n') : line.replace(/\r\n$/, '\n'));
  return hunks.map((hunk) => ({ ...hunk, before: hunk.before.map(convert), after: hunk.after.map(convert) }));
}

/** The lines of a file, and the hunks that are to be found in them, with its line breaks. @throws PatchError */
export async function readLines(
  text: string,
  asWritten: readonly Hunk[],
  work: Work,
): Promise<{ lines: FileLines; hunks: readonly Hunk[] }> {
  const count = await countLines(text, work);
  const hunks = withLineBreaksOf(text, asWritten);
  const known = new Map<string, number>();
  for (const { before, after } of hunks) {
    for (const line of [...before, ...after]) if (!known.has(line)) known.set(line, known.size + 1);
  }
  const starts = new Uint32Array(count + 1);
  const numbers = new Int32Array(count);
  for (let line = 0, at = 0; line < count; line += 1) {
    const end = text.indexOf('\n', at);
    const next = end < 0 ? text.length : end + 1;
    starts[line] = at;
    numbers[line] = known.get(text.slice(at, next)) ?? OTHER;
    at = next;
    if ((line + 1) % STEPS_PER_TURN === 0) await work.spend(STEPS_PER_TURN);
  }
  starts[count] = text.length;
  const numberOf = (line: string) => known.get(line) ?? OTHER;
  return { lines: { text, count, starts, numbers, numberOf }, hunks };
}

export function lineAt({ text, starts }: FileLines, line: number): string {
  return text.slice(starts[line] ?? text.length, starts[line + 1] ?? text.length);
}

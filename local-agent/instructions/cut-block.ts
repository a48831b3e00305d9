/**
 * Whether a `baa` block was cut: its writer wanted more in it than CommonMark reads as the block, because a fence inside
 * the text ended it. What is left of a script would run, so the whole block is an error.
 */

/** The last line in which each text appears in the message, without the white space around it. Built once a message. */
export type LastLines = ReadonlyMap<string, number>;

const START = /^@[a-z][a-z0-9._-]*::/;
/** The first line of an instruction whose params are a JSON object, where strings hold the here-documents. */
const STARTS_JSON = /^@[^\s:]+::[^\s:]+(?:::)?[ \t]*\n?[ \t]*\{/;
const FENCE = /^[ \t]*(`{3,}|~{3,})([^`]*)$/;
/** The delimiter of a here-document; not of a here-string, and not a shift in arithmetic. */
const HERE_DOCUMENT = /(?<![<\d(])<<-?[ \t]*(?:'([\w.-]+)'|"([\w.-]+)"|\\?([A-Za-z_][\w.-]*))/g;

export function lastLines(lines: readonly string[]): LastLines {
  return new Map(lines.map((line, index) => [line.trim(), index]));
}

/**
 * The line of the block (from 0) that opens a fence which the block does not close, where the closing one would end the
 * block; null when there is none. A longer fence around the block makes the same text whole.
 */
function openFence(lines: readonly string[], outer: string): number | null {
  let open: { at: number; marks: string } | null = null;
  for (const [at, line] of lines.entries()) {
    const [, marks = '', info = ''] = FENCE.exec(line) ?? [];
    // A line of fewer marks, or of the other kind, does not end the block.
    if (marks === '' || !marks.startsWith(outer)) continue;
    if (open === null) open = { at, marks };
    else if (info.trim() === '' && marks.startsWith(open.marks)) open = null;
  }
  return open === null ? null : open.at;
}

/** The line of a here-document whose end is in the message only behind the block, which ends before line `end`. */
function openHereDocument(lines: readonly string[], end: number, last: LastLines): number | null {
  const inBlock = lastLines(lines);
  let isJson = false;
  for (const [at, line] of lines.entries()) {
    if (START.test(line)) isJson = STARTS_JSON.test(`${line}\n${lines[at + 1] ?? ''}`);
    if (isJson || !line.includes('<<')) continue;
    for (const [, single, double, plain] of line.matchAll(HERE_DOCUMENT)) {
      const delimiter = single ?? double ?? plain ?? '';
      if ((inBlock.get(delimiter) ?? -1) <= at && (last.get(delimiter) ?? -1) >= end) return at;
    }
  }
  return null;
}

/** Why the block is not whole; null when nothing shows that it is not. `line` is that of its opening fence, from 1. */
export function whyCut(
  { lines, line, fence, end }: { lines: readonly string[]; line: number; fence: string; end: number },
  last: () => LastLines,
): string | null {
  const remedy = 'nothing of it was run; write it in a longer fence, such as one of five backticks';
  const fenceAt = openFence(lines, fence);
  if (fenceAt !== null) {
    return `the block is cut: line ${line + 1 + fenceAt} opens a fence inside it, whose end also ended the block; ${remedy}`;
  }
  if (!lines.some((one) => one.includes('<<'))) return null;
  const hereAt = openHereDocument(lines, end, last());
  if (hereAt === null) return null;
  return `the block is cut: the here-document of line ${line + 1 + hereAt} ends behind the block, which a fence ended; ${remedy}`;
}

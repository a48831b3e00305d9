/**
 * Whether a `baa` block was cut: its writer wanted more in it than CommonMark reads as the block, because a fence inside
 * the text ended it. What is left of a script would run, so the whole block is an error.
 */
import type { LastLines } from './here-documents.ts';
import { openHereDocuments } from './here-documents.ts';

const START = /^@[a-z][a-z0-9._-]*::/;
/** The first line of an instruction whose params are a JSON object, where strings hold the here-documents. */
const STARTS_JSON = /^@[^\s:]+::[^\s:]+(?:::)?[ \t]*\n?[ \t]*\{/;
const FENCE = /^[ \t]*(`{3,}|~{3,})([^`]*)$/;

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

/** Why the here-documents of a block, which ends before line `end` of the message, show that it is cut. */
function whyOpenHereDocument(lines: readonly string[], line: number, end: number, last: LastLines): string | null {
  let isJson = false;
  const { open, too_many_at } = openHereDocuments(lines, {
    skips: (at) => {
      const text = lines[at] ?? '';
      if (START.test(text)) isJson = STARTS_JSON.test(`${text}\n${lines[at + 1] ?? ''}`);
      return isJson;
    },
  });
  const found = open.find(({ delimiter }) => (last.get(delimiter.trim()) ?? -1) >= end);
  if (found) return `the here-document of line ${line + 1 + found.at} ends behind the block, which a fence ended`;
  if (too_many_at === null) return null;
  return `up to line ${line + 1 + too_many_at} it opens too many here-documents, so where they end is not certain`;
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
  const why = whyOpenHereDocument(lines, line, end, last());
  return why === null ? null : `the block is cut: ${why}; ${remedy}`;
}

/** Why a hunk fits nowhere: the line that differs, and the nearest place. The work is bounded by the limits below. */
import type { Redact } from '../../lib/redact.ts';
import { fromByteText, showLine } from './byte-text.ts';
import type { FileLines } from './file-lines.ts';
import { lineAt } from './file-lines.ts';
import type { Hunk } from './parse-hunk.ts';
import { PatchError } from './patch-error.ts';
import type { Placements } from './placements.ts';

const MAX_COMPARED_LINES = 2_000;
const MAX_CANDIDATES = 2_000;
const MAX_VOTES = 200_000;
/** Secrets of more lines than these are not found. */
const SURROUNDINGS = 100;
const ADVICE = 'read the file again and write the hunk from what it holds now';

/** What an explanation is about, and what it must not show. */
export interface Explained {
  lines: FileLines;
  redact: Redact;
}

export function severalPlaces(name: string, starts: readonly number[], count: number): PatchError {
  const shown = starts.map((start) => start + 1).join(', ');
  const places = `lines ${shown}${count > starts.length ? ` and ${count - starts.length} more` : ''}`;
  const why = `its lines fit ${count} places (${places}) and its numbers do not say which; add lines of context`;
  return new PatchError('context_differs', `${name}: ${why}`);
}

export function appliedBefore(name: string, start: number): PatchError {
  const why = `the lines that it adds are already there, around line ${start + 1}`;
  return new PatchError('context_differs', `${name}: ${why}; it seems to have been applied before`);
}

/** The error when the lines are there but belong to a hunk before. */
export function overlapping(name: string, hunk: Hunk, stated: number, placements: Placements): PatchError | null {
  const { lines, placed } = placements;
  const isThere = (start: number) =>
    hunk.before.every((line, at) => lines.numbers[start + at] === lines.numberOf(line));
  const other = placed
    .slice(0, MAX_CANDIDATES)
    .find(({ start, end }) => start < stated + hunk.before.length && stated < end);
  if (other === undefined || stated < 0 || hunk.before.length > MAX_COMPARED_LINES || !isThere(stated)) return null;
  const why = `it shares lines with the hunk ${other.hunk.header} (line ${other.hunk.line} of the patch)`;
  return new PatchError('context_differs', `${name}: ${why}; write both as one hunk, or send it once`);
}

/** How many of the first `limit` lines of the hunk are at that place, and the first one that is not. */
function compare(hunk: Hunk, start: number, lines: FileLines, limit: number): { matching: number; differs: number } {
  let matching = 0;
  let differs = -1;
  for (const [at, line] of hunk.before.slice(0, limit).entries()) {
    if (start + at < lines.count && start + at >= 0 && lines.numbers[start + at] === lines.numberOf(line))
      matching += 1;
    else if (differs < 0) differs = at;
  }
  return { matching, differs };
}

/** Starts at which some line of the hunk is where it should be, the ones with most such lines first. */
function candidates(hunk: Hunk, lines: FileLines): number[] {
  const places = new Map<number, number[]>();
  for (const [at, line] of hunk.before.slice(0, MAX_COMPARED_LINES).entries()) {
    // A blank line says nothing about the place.
    if (line.trim() === '') continue;
    const number = lines.numberOf(line);
    places.set(number, [...(places.get(number) ?? []).slice(0, 7), at]);
  }
  const votes = new Map<number, number>();
  let left = MAX_VOTES;
  for (let line = 0; line < lines.count && left > 0; line += 1) {
    const number = lines.numbers[line] ?? 0;
    if (number === 0) continue;
    for (const at of places.get(number) ?? []) {
      votes.set(line - at, (votes.get(line - at) ?? 0) + 1);
      left -= 1;
    }
  }
  return [...votes].sort((a, b) => b[1] - a[1]).map(([start]) => start);
}

/** A line of the file; not shown when it or its surroundings hold a secret, of which it could be a part. */
function showFound(lines: FileLines, line: number, redact: Redact): string {
  const around = lines.text.slice(
    lines.starts[Math.max(0, line - SURROUNDINGS)],
    lines.starts[Math.min(lines.count, line + SURROUNDINGS)],
  );
  const text = fromByteText(around);
  return redact(text) === text ? showLine(lineAt(lines, line)) : 'not shown, as it may be part of a secret';
}

function difference(hunk: Hunk, start: number, at: number, { lines, redact }: Explained): string {
  const expected = hunk.before[at] ?? '';
  const line = start + at;
  const where = `line ${hunk.beforeAt[at]} of the patch expects ${showLine(expected)}`;
  if (line >= lines.count) return `${where} at line ${line + 1}, but the file has ${lines.count} lines`;
  const found = lineAt(lines, line);
  const onlyBlanks = found.replace(/\s+/g, '') === expected.replace(/\s+/g, '') ? ' (only white space differs)' : '';
  return `${where}, but line ${line + 1} of the file is ${showFound(lines, line, redact)}${onlyBlanks}`;
}

/** The error for a hunk whose lines are not in the file, `stated` being the line that its numbers mean. */
export function explainMismatch(name: string, hunk: Hunk, stated: number, explained: Explained): PatchError {
  const { lines } = explained;
  const best = [stated, ...candidates(hunk, lines).slice(0, 8)]
    .map((start) => ({ start, ...compare(hunk, start, lines, MAX_COMPARED_LINES) }))
    .filter(({ start }) => start >= 0)
    .sort((a, b) => b.matching - a.matching || Math.abs(a.start - stated) - Math.abs(b.start - stated))[0];
  const size = hunk.before.length;
  if (best === undefined || best.matching === 0) {
    const first = `${difference(hunk, stated, 0, explained)}; no line of the hunk is where it should be`;
    return new PatchError('context_differs', `${name} does not fit: ${first}; ${ADVICE}`);
  }
  const { matching, differs } = compare(hunk, best.start, lines, size);
  const place = `the nearest place is line ${best.start + 1}, where ${matching} of its ${size} old lines fit`;
  const why =
    differs < 0
      ? 'they are there, but the hunk cannot apply at that place'
      : difference(hunk, best.start, differs, explained);
  const message = `${name} does not fit: ${place}; ${why}; ${ADVICE}`;
  return new PatchError('context_differs', message);
}

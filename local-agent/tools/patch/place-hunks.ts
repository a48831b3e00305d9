/**
 * Decides where hunks apply, by git's rules: at the line of the header, else at the nearest place where all lines fit. A
 * hunk that begins at line 1 fits the beginning only, one that ends without context the end only. Where those rules find
 * nothing, or the numbers of the header were made up, a hunk applies when its lines fit exactly one place.
 */
import type { Redact } from '../../lib/redact.ts';
import { appliedBefore, explainMismatch, overlapping, severalPlaces } from './explain.ts';
import { readLines } from './file-lines.ts';
import type { Hunk } from './parse-hunk.ts';
import { PatchError } from './patch-error.ts';
import { Placements } from './placements.ts';
import type { Work } from './work.ts';

export interface PlaceContext {
  work: Work;
  /** Removes secrets from what an error shows of the file. */
  redact: Redact;
}

/** Whether nothing may follow the hunk: one of its sides ends without a line break. */
function endsTheFile({ before, after }: Hunk): boolean {
  return [before, after].some((side) => side.length > 0 && !side.at(-1)?.endsWith('\n'));
}

function isAtEnd(hunk: Hunk, start: number, placements: Placements): boolean {
  return start === placements.startAtEnd(hunk);
}

/** The only place that a hunk may have by git's rules, -1 for none; null when it may have several. */
function onlyPlace(hunk: Hunk, placements: Placements): number | null {
  const mustEnd = !hunk.hasTrailingContext || endsTheFile(hunk);
  const { begin } = placements;
  if (hunk.isFirst) return mustEnd && !isAtEnd(hunk, begin, placements) ? -1 : begin;
  return mustEnd ? (placements.startAtEnd(hunk) ?? -1) : null;
}

/** The place of a hunk that only inserts and has no context: the end, when its number says so too. */
function placeToInsert(hunk: Hunk, placements: Placements): number | null {
  const end = placements.startAtEnd(hunk);
  if (end === null) return null;
  if (placements.changedCount === 0) return end;
  const { lines } = placements;
  const isOpen = lines.count > 0 && !lines.text.endsWith('\n');
  return !hunk.isFirst && hunk.at === placements.changedCount && !isOpen ? end : null;
}

interface Found {
  count: number;
  /** The first places. */
  starts: number[];
  nearest: number;
}

/** All places where the lines of a hunk fit, and the one nearest to its number, the later of two equally near ones. */
async function findPlaces(hunk: Hunk, placements: Placements, work: Work): Promise<Found> {
  const wanted = Math.min(hunk.at ?? 0, placements.changedCount);
  const mustEnd = endsTheFile(hunk);
  const found: Found = { count: 0, starts: [], nearest: -1 };
  let distance = Number.POSITIVE_INFINITY;
  await placements.search(hunk, work, (start, changedLine) => {
    if (mustEnd && !isAtEnd(hunk, start, placements)) return;
    found.count += 1;
    if (found.starts.length < 5) found.starts.push(start);
    const away = Math.abs(changedLine - wanted);
    if (away > distance || (away === distance && changedLine < wanted)) return;
    distance = away;
    found.nearest = start;
  });
  return found;
}

async function placeOf(
  hunk: Hunk,
  name: string,
  placements: Placements,
  { work, redact }: PlaceContext,
): Promise<number> {
  if (hunk.before.length === 0) {
    const place = placeToInsert(hunk, placements);
    if (place !== null) return place;
    const why =
      'it has no context and no removed line, so nothing says where it belongs; add lines of context around it';
    throw new PatchError('context_differs', `${name}: ${why}`);
  }
  const only = hunk.isCounted ? onlyPlace(hunk, placements) : null;
  if (only !== null && placements.fits(hunk, only)) return only;
  await work.spend(Math.min(hunk.before.length + placements.placed.length, 10_000));
  const stated = hunk.at === null ? -1 : placements.toUnchanged(Math.min(hunk.at, placements.changedCount));
  const mayBeStated = only === null && (!endsTheFile(hunk) || isAtEnd(hunk, stated, placements));
  if (mayBeStated && placements.fits(hunk, stated)) return stated;
  const found = await findPlaces(hunk, placements, work);
  if (found.count > 0 && hunk.isCounted && only === null) return found.nearest;
  if (found.count === 1 && placements.isApplied(hunk, found.nearest)) throw appliedBefore(name, found.nearest);
  if (found.count === 1) return found.nearest;
  if (found.count > 1) throw severalPlaces(name, found.starts, found.count);
  const explained = { lines: placements.lines, redact };
  throw overlapping(name, hunk, stated, placements) ?? explainMismatch(name, hunk, Math.max(0, stated), explained);
}

/**
 * Places the hunks of one file.
 *
 * @throws PatchError that names the hunk, the line that differs and the nearest place
 */
export async function placeHunks(
  text: string,
  asWritten: readonly Hunk[],
  path: string,
  context: PlaceContext,
): Promise<Placements> {
  const { lines, hunks } = await readLines(text, asWritten, context.work);
  const placements = new Placements(lines);
  for (const [index, hunk] of hunks.entries()) {
    const name = `${path}: hunk ${index + 1} of ${hunks.length} (${hunk.header}, line ${hunk.line} of the patch)`;
    placements.add(hunk, await placeOf(hunk, name, placements, context));
  }
  return placements;
}

/** The content with the placed hunks applied, as byte text. */
export function applyPlacements({ lines, placed }: Placements): string {
  const parts: string[] = [];
  let line = 0;
  for (const { hunk, start, end } of placed) {
    parts.push(lines.text.slice(lines.starts[line], lines.starts[start]), ...hunk.after);
    line = end;
  }
  parts.push(lines.text.slice(lines.starts[line]));
  return parts.join('');
}

/**
 * How far back one part of a search in texts goes. Messages, instructions and tasks are read newest first, each at most so
 * many rows and so many bytes. A part ends where the first of them has to stop, so that it is whole up to one moment: what
 * follows `<prefix>_` in an id is the time it was made, then chance, and orders objects of different kinds.
 */
import { placeOf } from '../ids.ts';

/** What one kind offers behind the place of the search. */
export interface Reach {
  /** Rows that were looked at, at most the limit. */
  read: number;
  /** Those of them, from the newest on, whose texts may be read. */
  within: number;
  /** The id of the last of these; null without any. */
  oldest: string | null;
}

/** The place of the oldest object that the part covers, for all kinds; null when it covers everything. */
export function endOfPart(kinds: readonly Reach[], limit: number): string | null {
  const stops = kinds.flatMap(({ read, within, oldest }) =>
    oldest !== null && (read === limit || within < read) ? [placeOf(oldest)] : [],
  );
  return stops.reduce<string | null>((last, stop) => (last === null || stop > last ? stop : last), null);
}

/** At most `max` of what a part has found, newest first, and where the search continues: behind the last when there are more. */
export function listedOf<T extends { id: string }>(
  found: readonly T[],
  end: string | null,
  max: number,
): { items: T[]; next: string | null } {
  const sorted = found.toSorted((a, b) => (placeOf(a.id) < placeOf(b.id) ? 1 : -1));
  const items = sorted.slice(0, max);
  const last = items.at(-1);
  return { items, next: sorted.length > max && last !== undefined ? placeOf(last.id) : end };
}

/**
 * Where the hunks of a file apply. Places are lines of the unchanged file, and no line belongs to two hunks; so hunks apply
 * in any order, and no order can copy or lose a line. A line number in a hunk counts the hunks placed before it.
 */
import type { FileLines } from './file-lines.ts';
import type { Hunk } from './parse-hunk.ts';
import type { Work } from './work.ts';

export interface Placement {
  hunk: Hunk;
  /** The first line, from 0, and the line behind the last. */
  start: number;
  end: number;
}

/** Hunks that add more lines are not looked for in the file. */
const MAX_ADDED_LINES = 1_000;
const GROWTH = (hunk: Hunk) => hunk.after.length - hunk.before.length;

export class Placements {
  readonly lines: FileLines;
  /** Ordered by their place. */
  readonly placed: Placement[] = [];
  readonly #used: Uint8Array;
  /** The lines that are left when lines at either end have been removed without anything in their place. */
  #begin = 0;
  #end: number;
  #isEndTaken = false;
  #growth = 0;

  constructor(lines: FileLines) {
    this.lines = lines;
    this.#used = new Uint8Array(lines.count);
    this.#end = lines.count;
  }

  get begin(): number {
    return this.#begin;
  }

  /** How many lines the file has with the hunks placed so far. */
  get changedCount(): number {
    return this.lines.count + this.#growth;
  }

  add(hunk: Hunk, start: number): void {
    const end = start + hunk.before.length;
    let at = this.placed.length;
    while (at > 0 && (this.placed[at - 1]?.start ?? 0) > start) at -= 1;
    this.placed.splice(at, 0, { hunk, start, end });
    this.#used.fill(1, start, end);
    this.#growth += GROWTH(hunk);
    if (end === this.#end && hunk.after.length === 0) this.#end = start;
    else if (end === this.#end && hunk.before.length === 0) this.#isEndTaken = true;
    if (start === this.#begin && hunk.after.length === 0) this.#begin = end;
  }

  isUsed(line: number): boolean {
    return this.#used[line] === 1;
  }

  /** The start of a hunk that ends where the file ends; null when the end is taken. */
  startAtEnd({ before }: Hunk): number | null {
    return this.#isEndTaken && before.length > 0 ? null : this.#end - before.length;
  }

  /** Whether all lines before the change are there and belong to no other hunk. */
  fits({ before }: Hunk, start: number): boolean {
    return this.#holds(before, start) && before.every((_line, at) => !this.isUsed(start + at));
  }

  /** Whether a hunk that only adds lines around its context, and fits at `start`, has been applied there before. */
  isApplied({ before, after }: Hunk, start: number): boolean {
    const added = after.length - before.length;
    if (added <= 0 || added > MAX_ADDED_LINES) return false;
    const isContextAt = (at: number) => before.every((line, index) => after[at + index] === line);
    return Array.from({ length: added + 1 }, (_none, at) => at).some((at) => {
      return isContextAt(at) && this.#holds(after, start - at);
    });
  }

  #holds(sought: readonly string[], start: number): boolean {
    const { count, numbers, numberOf } = this.lines;
    if (start < 0 || start + sought.length > count) return false;
    return sought.every((line, at) => numbers[start + at] === numberOf(line));
  }

  /** The line of the unchanged file at a line of the changed one. */
  toUnchanged(changedLine: number): number {
    const last = this.placed.at(-1);
    if (last === undefined || changedLine - this.#growth >= last.end) return changedLine - this.#growth;
    let growth = 0;
    for (const { hunk, start } of this.placed) {
      if (changedLine < start + growth) break;
      growth += GROWTH(hunk);
    }
    return changedLine - growth;
  }

  /**
   * All places where a hunk fits, in one pass over the file.
   *
   * @param each called with the start and with the line of the changed file that it is
   */
  async search(hunk: Hunk, work: Work, each: (start: number, changedLine: number) => void): Promise<void> {
    const { numbers, count } = this.lines;
    const sought = hunk.before.map((line) => this.lines.numberOf(line));
    const fallback = fallbacks(sought);
    let growth = 0;
    let passed = 0;
    let matched = 0;
    for (let line = 0; line < count; line += 1) {
      // A line of another hunk fits nothing.
      const number = this.isUsed(line) ? -1 : numbers[line];
      while (matched > 0 && sought[matched] !== number) matched = fallback[matched - 1] ?? 0;
      if (sought[matched] === number) matched += 1;
      if (matched === sought.length) {
        const start = line + 1 - matched;
        for (let next = this.placed[passed]; next && next.end <= start; next = this.placed[passed]) {
          growth += GROWTH(next.hunk);
          passed += 1;
        }
        each(start, start + growth);
        matched = fallback[matched - 1] ?? 0;
      }
      if (line % 10_000 === 0) await work.spend(10_000);
    }
  }
}

/** For each beginning of a sequence, the length of its longest end that is a beginning too (Knuth, Morris, Pratt). */
function fallbacks(sought: readonly number[]): Int32Array {
  const table = new Int32Array(sought.length);
  for (let at = 1, length = 0; at < sought.length; at += 1) {
    while (length > 0 && sought[at] !== sought[length]) length = table[length - 1] ?? 0;
    if (sought[at] === sought[length]) length += 1;
    table[at] = length;
  }
  return table;
}

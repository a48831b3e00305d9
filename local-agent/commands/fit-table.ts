/** Fits a table into the width of a terminal. Pure: how wide a text is shown is an argument. */

/** Between two columns. */
export const GAP = 2;
/** A column is cut to no less, unless all that it holds is shorter. */
const LEAST = 8;
const ID = /^[a-z]{2,5}_[0-9a-z]{26}$/;
const segmenter = new Intl.Segmenter();
/** No character that is shown in one column has more UTF-16 units, but for marks beyond reading. */
const UNITS = 4;

const charactersOf = (text: string): string[] => Array.from(segmenter.segment(text), ({ segment }) => segment);

export type WidthOf = (text: string) => number;

/** Measures no more of a text than can be shown in that width. */
const boundedBy = (columns: number, widthOf: WidthOf): WidthOf => {
  return (text) => widthOf(text.slice(0, UNITS * (columns + 1)));
};

/** The width that a column needs at least: its name, and ids as a whole, since a cut id is of no use. */
function leastWidth(head: string, cells: readonly string[], width: number, isFirst: boolean, widthOf: WidthOf): number {
  if (isFirst || cells.some((cell) => ID.test(cell))) return width;
  return Math.min(width, Math.max(widthOf(head), LEAST));
}

/** Whether the table fits into a terminal of that width with nothing cut. */
export function fitsWhole(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  available: number,
  measure: WidthOf,
): boolean {
  const widthOf = boundedBy(available, measure);
  const widths = head.map((name, at) => Math.max(widthOf(name), ...rows.map((row) => widthOf(row[at] ?? ''))));
  return widths.reduce((sum, width) => sum + GAP + width, -GAP) <= available;
}

/** The widths of the columns in a terminal of that width: the widest ones give way first. Null when they cannot fit. */
export function fitWidths(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  available: number,
  measure: WidthOf,
): number[] | null {
  const widthOf = boundedBy(available, measure);
  const columns = head.map((name, at) => {
    const cells = rows.map((row) => row[at] ?? '');
    const width = Math.max(widthOf(name), ...cells.map(widthOf));
    return { width, least: leastWidth(name, cells, width, at === 0, widthOf) };
  });
  const widths = columns.map(({ width }) => width);
  let excess = widths.reduce((sum, width) => sum + width, GAP * (widths.length - 1)) - available;
  while (excess > 0) {
    const shrinkable = columns.flatMap(({ least }, at) => ((widths[at] ?? 0) > least ? [at] : []));
    const widest = shrinkable.sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0))[0];
    if (widest === undefined) return null;
    const width = widths[widest] ?? 0;
    const next = Math.max(columns[widest]?.least ?? 0, ...shrinkable.slice(1, 2).map((at) => widths[at] ?? 0));
    const step = Math.min(excess, Math.max(1, width - next));
    widths[widest] = width - step;
    excess -= step;
  }
  return widths;
}

/** The text cut to that width, with `…` in place of what is left out. No character is cut in two. */
export function cutToWidth(text: string, width: number, widthOf: WidthOf): string {
  const bound = UNITS * (width + 1);
  if (text.length <= bound && widthOf(text) <= width) return text;
  let kept = charactersOf(text.slice(0, bound)).slice(0, Math.max(0, width - 1));
  while (kept.length > 0 && widthOf(kept.join('')) > width - 1) kept = kept.slice(0, -1);
  return `${kept.join('')}…`;
}

/** A word in pieces of at most that width. An id stays whole. */
function piecesOf(word: string, width: number, widthOf: WidthOf): string[] {
  if (ID.test(word) || widthOf(word) <= width) return [word];
  const pieces: string[] = [];
  let piece = '';
  let used = 0;
  for (const character of charactersOf(word)) {
    const more = widthOf(character);
    if (piece !== '' && used + more > width) {
      pieces.push(piece);
      piece = '';
      used = 0;
    }
    piece += character;
    used += more;
  }
  return [...pieces, piece];
}

/**
 * The text in lines of at most that width, broken between words. A longer word is broken in itself, or with `keepsWords`
 * stays whole: a path or an address that a person copies.
 */
export function wrapText(text: string, width: number, widthOf: WidthOf, keepsWords = false): string[] {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const word of text.split(' ')) {
    for (const [at, piece] of (keepsWords ? [word] : piecesOf(word, width, widthOf)).entries()) {
      const more = widthOf(piece);
      const isFirst = lines.length === 0 && line === '';
      if (at === 0 && (isFirst || used + 1 + more <= width)) {
        line = isFirst ? piece : `${line} ${piece}`;
        used += isFirst ? more : more + 1;
        continue;
      }
      lines.push(line);
      line = piece;
      used = more;
    }
  }
  return [...lines, line];
}

/** A row as a block: name and value below each other, for a terminal that is too narrow for the columns. */
export function rowBlock(
  head: readonly string[],
  cells: readonly string[],
  available: number,
  widthOf: WidthOf,
): { name: string; lines: string[] }[] {
  const beside = Math.max(...head.map(widthOf)) + GAP;
  return head.map((name, at) => {
    const cell = cells[at] ?? '';
    const longest = Math.max(...cell.split(' ').map((word) => (ID.test(word) ? word.length : 0)), LEAST);
    const isBelow = beside + longest > available;
    const lines = wrapText(cell, Math.max(1, available - (isBelow ? GAP : beside)), widthOf);
    const indent = ' '.repeat(isBelow ? GAP : beside);
    const [first = '', ...others] = lines;
    const rest = others.map((line) => indent + line);
    if (isBelow) return { name, lines: ['', indent + first, ...rest] };
    return { name, lines: [' '.repeat(beside - widthOf(name)) + first, ...rest] };
  });
}

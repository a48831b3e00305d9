/** Fits a table into the width of a terminal. Pure: how wide a text is shown is an argument. */

/** Between two columns. */
export const GAP = 2;
/** A column is cut to no less, unless all that it holds is shorter. */
const LEAST = 8;
const ID = /^[a-z]{2,5}_[0-9a-z]{26}$/;
const segmenter = new Intl.Segmenter();
/** No character that is shown in one column has more UTF-16 units, but for marks beyond reading. */
const UNITS = 4;

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

/** The widths of the columns in a terminal of that width: the widest ones give way first. */
export function fitWidths(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  available: number,
  measure: WidthOf,
): number[] {
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
    if (widest === undefined) break;
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
  const characters = Array.from(segmenter.segment(text.slice(0, bound)), ({ segment }) => segment);
  let kept = characters.slice(0, Math.max(0, width - 1));
  while (kept.length > 0 && widthOf(kept.join('')) > width - 1) kept = kept.slice(0, -1);
  return `${kept.join('')}…`;
}

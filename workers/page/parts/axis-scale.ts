/** Where spans lie on a time axis that shows all of them, and what time a chart shows. */
import type { Tone } from './tones.ts';

export interface Span {
  key: string;
  start: number;
  /** Null: it lasts until now. */
  end: number | null;
  tone: Tone;
  title: string;
}

export interface AxisScale {
  from: number;
  to: number;
  /** Times that the axis names. */
  ticks: readonly number[];
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Distances between ticks that a person reads easily. */
const STEPS: readonly number[] = [
  ...[1, 2, 5, 10, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 30].map((n) => n * MINUTE),
  ...[1, 2, 6, 12, 24].map((n) => n * HOUR),
];
const MAX_TICKS = 5;
/** Behind this part of the axis a label would leave it. */
const LABELS_END = 0.93;
/** A chart has room for so many values that last, also when it has fewer. */
const LEAST_VALUES = 6;
/** What a chart shows on each side of the only moment that it has. */
const ALONE_SEC = 30;
/** A bar that is shorter could not be seen. */
const MIN_WIDTH = 0.6;

/** The axis of these spans; null without any. */
export function axisOf(spans: readonly Span[], now: number): AxisScale | null {
  if (spans.length === 0) return null;
  const from = Math.min(...spans.map(({ start }) => start));
  const to = Math.max(from + SECOND, ...spans.map(({ end }) => end ?? now));
  const length = to - from;
  const step =
    STEPS.find((one) => length / one <= MAX_TICKS) ?? Math.ceil(length / MAX_TICKS / (24 * HOUR)) * 24 * HOUR;
  const ticks = Array.from({ length: Math.floor(length / step) + 1 }, (_, n) => from + n * step).filter(
    (at) => (at - from) / length < LABELS_END,
  );
  return { from, to, ticks };
}

/** First and last second of a chart whose values each last so many seconds; 0 for values of a moment. */
export function chartRange(at: readonly number[], lasts: number): [number, number] {
  const last = at.at(-1) ?? 0;
  const first = at[0] ?? last;
  if (lasts > 0) return [Math.min(first - lasts / 2, last - (LEAST_VALUES - 0.5) * lasts), last + lasts / 2];
  return first < last ? [first, last] : [first - ALONE_SEC, last + ALONE_SEC];
}

/** Left edge and width of a span, in percent of the axis. */
export function placeOf(
  { start, end }: Pick<Span, 'start' | 'end'>,
  { from, to }: AxisScale,
  now: number,
): { left: number; width: number } {
  const percent = 100 / (to - from);
  const left = Math.min((start - from) * percent, 100 - MIN_WIDTH);
  const width = Math.max(MIN_WIDTH, ((end ?? now) - start) * percent);
  return { left, width: Math.min(width, 100 - left) };
}

/** A chart over time by uPlot. Colors are those of the page, and change with its scheme. */
import uPlot from 'uplot';
import { chartRange } from './axis-scale.ts';

export interface Series {
  name: string;
  values: readonly (number | null)[];
  /** A custom property of the page. */
  color: string;
  scale: string;
  /** Bars that are drawn one over the other: a later series covers an earlier one. */
  isBars?: boolean;
}

export interface ChartTime {
  /** How long each value lasts, in seconds; 0 for values of a moment. */
  lasts: number;
  /** The axis names days in UTC instead of times of the day. */
  isByDay?: boolean;
}

const HEIGHT = 190;
const SECOND_MS = 1_000;
const WIDTH = 1.5;
const BAR_PART = 0.7;
const BAR_MAX_PX = 40;
/** Height of the names of times below the chart. */
const TIMES_PX = 32;
/** Short, and exact enough that no two marks of an axis have the same name. */
const NUMBERS = { notation: 'compact', maximumSignificantDigits: 3 } as const;
/** Room above the largest value. */
const ABOVE = 1.08;

/** The value of a custom property as the browser draws it. */
function colorOf(element: Element, property: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${property})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function clockOf({ isByDay = false }: ChartTime): Intl.DateTimeFormat {
  const { lang } = document.documentElement;
  return isByDay
    ? new Intl.DateTimeFormat(lang, { day: 'numeric', month: 'short', timeZone: 'UTC' })
    : new Intl.DateTimeFormat(lang, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
}

function optionsOf(
  element: HTMLElement,
  at: readonly number[],
  series: readonly Series[],
  time: ChartTime,
): uPlot.Options {
  const clock = clockOf(time);
  const numbers = new Intl.NumberFormat(document.documentElement.lang, NUMBERS);
  const grid = { stroke: colorOf(element, '--line'), width: 1 };
  const axis = { stroke: colorOf(element, '--muted'), grid, ticks: grid };
  const scales = [...new Set(series.map(({ scale }) => scale))];
  const fromZero = (_chart: uPlot, _least: number | null, most: number | null): [number, number] => [
    0,
    most === null || most <= 0 ? 1 : most * ABOVE,
  ];
  const bars = uPlot.paths.bars?.({ size: [BAR_PART, BAR_MAX_PX] });
  return {
    width: Math.max(200, element.clientWidth),
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    ...(time.isByDay === true && { tzDate: (second: number) => uPlot.tzDate(new Date(second * SECOND_MS), 'Etc/UTC') }),
    scales: {
      x: { range: () => chartRange(at, time.lasts) },
      ...Object.fromEntries(scales.map((scale) => [scale, { range: fromZero }])),
    },
    axes: [
      { ...axis, size: TIMES_PX, values: (_chart, places) => timesAt(places, clock) },
      ...scales.map((scale, n) => ({
        ...axis,
        scale,
        values: (_chart: uPlot, places: number[]) => places.map((place) => numbers.format(place)),
        side: n === 0 ? 3 : 1,
        grid: n === 0 ? grid : { show: false },
      })),
    ],
    series: [
      {},
      ...series.map(({ name, color, scale, isBars = false }) => {
        const stroke = colorOf(element, color);
        const drawn = { label: name, scale, stroke };
        return isBars && bars !== undefined
          ? { ...drawn, fill: stroke, width: 0, paths: bars, points: { show: false } }
          : { ...drawn, width: WIDTH, points: { fill: stroke } };
      }),
    ],
  };
}

/** A time at each place of the axis, and at several within a minute only once. */
function timesAt(places: readonly number[], clock: Intl.DateTimeFormat): string[] {
  const texts = places.map((place) => clock.format(place * SECOND_MS));
  return texts.map((text, n) => (text === texts[n - 1] ? '' : text));
}

/** Draws the chart, also again when its width or the scheme changes, until the returned function is called. */
export function drawChart(
  element: HTMLElement,
  at: readonly number[],
  series: readonly Series[],
  time: ChartTime,
): () => void {
  let chart: uPlot | null = null;
  const draw = (): void => {
    chart?.destroy();
    chart = new uPlot(
      optionsOf(element, at, series, time),
      [[...at], ...series.map(({ values }) => [...values])],
      element,
    );
  };
  draw();
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  const resized = new ResizeObserver(() =>
    chart?.setSize({ width: Math.max(200, element.clientWidth), height: HEIGHT }),
  );
  resized.observe(element);
  scheme.addEventListener('change', draw);
  return () => {
    resized.disconnect();
    scheme.removeEventListener('change', draw);
    chart?.destroy();
  };
}

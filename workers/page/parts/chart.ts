/** A chart over time by uPlot. Colors are those of the page, and change with its scheme. */
import uPlot from 'uplot';

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

function optionsOf(element: HTMLElement, series: readonly Series[], time: ChartTime): uPlot.Options {
  const clock = clockOf(time);
  const grid = { stroke: colorOf(element, '--line'), width: 1 };
  const axis = { stroke: colorOf(element, '--muted'), grid, ticks: grid };
  const scales = [...new Set(series.map(({ scale }) => scale))];
  const fromZero = (_chart: uPlot, _least: number | null, most: number | null): [number, number] => [
    0,
    most === null || most <= 0 ? 1 : most * ABOVE,
  ];
  const around = (_chart: uPlot, first: number, last: number): [number, number] => [
    first - time.lasts / 2,
    last + time.lasts / 2,
  ];
  const bars = uPlot.paths.bars?.({ size: [BAR_PART, BAR_MAX_PX] });
  return {
    width: Math.max(200, element.clientWidth),
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: time.lasts === 0 ? {} : { range: around },
      ...Object.fromEntries(scales.map((scale) => [scale, { range: fromZero }])),
    },
    axes: [
      { ...axis, values: (_chart, places) => places.map((place) => clock.format(place * SECOND_MS)) },
      ...scales.map((scale, n) => ({
        ...axis,
        scale,
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
          : { ...drawn, width: WIDTH };
      }),
    ],
  };
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
    chart = new uPlot(optionsOf(element, series, time), [[...at], ...series.map(({ values }) => [...values])], element);
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

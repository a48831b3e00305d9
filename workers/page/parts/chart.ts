/** A line chart over time by uPlot. Colors are those of the page, and change with its scheme. */
import uPlot from 'uplot';

export interface Series {
  name: string;
  values: readonly (number | null)[];
  /** A custom property of the page. */
  color: string;
  scale: string;
}

const HEIGHT = 190;
const SECOND_MS = 1_000;
const WIDTH = 1.5;

/** The value of a custom property as the browser draws it. */
function colorOf(element: Element, property: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${property})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** Draws the chart, also again when its width or the scheme changes, until the returned function is called. */
export function drawChart(element: HTMLElement, at: readonly number[], series: readonly Series[]): () => void {
  const clock = new Intl.DateTimeFormat(document.documentElement.lang, {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  let chart: uPlot | null = null;
  const draw = (): void => {
    chart?.destroy();
    const stroke = colorOf(element, '--muted');
    const grid = { stroke: colorOf(element, '--line'), width: 1 };
    const axis = { stroke, grid, ticks: grid };
    const time = {
      ...axis,
      values: (_chart: uPlot, places: number[]) => places.map((place) => clock.format(place * SECOND_MS)),
    };
    const options: uPlot.Options = {
      width: Math.max(200, element.clientWidth),
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      axes: [
        time,
        ...series.map(({ scale }, n) => ({
          ...axis,
          scale,
          side: n === 0 ? 3 : 1,
          grid: n === 0 ? grid : { show: false },
        })),
      ],
      series: [
        {},
        ...series.map(({ name, color, scale }) => ({
          label: name,
          scale,
          stroke: colorOf(element, color),
          width: WIDTH,
        })),
      ],
    };
    chart = new uPlot(options, [[...at], ...series.map(({ values }) => [...values])], element);
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

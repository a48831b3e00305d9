/** A chart in a card, with what its colors mean, and its numbers as a table. The chart itself is loaded apart. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../texts/texts.ts';
import type { ChartTime, Series } from './chart.ts';
import type { Column } from './list.tsx';
import { Table } from './list.tsx';
import { Card } from './parts.tsx';
import type { Tone } from './tones.ts';

export interface PictureSeries extends Omit<Series, 'color'> {
  tone: Tone;
}

export interface PictureProps<T> {
  id: string;
  title: string;
  note?: ComponentChildren;
  /** Seconds, as the chart counts time. */
  at: readonly number[];
  series: readonly PictureSeries[];
  /** What the colors mean, where not each series has its own meaning in this order. */
  legend?: readonly Pick<PictureSeries, 'name' | 'tone'>[];
  time: ChartTime;
  rows: readonly T[];
  columns: readonly Column<T>[];
  keyOf: (row: T) => string;
}

export function Picture<T>({ id, title, note, at, series, legend = series, time, ...table }: PictureProps<T>) {
  const place = useRef<HTMLDivElement>(null);
  const drawn = JSON.stringify([at, series]);
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    let remove: () => void = () => undefined;
    let isGone = false;
    void import('./chart.ts').then(({ drawChart }) => {
      if (isGone) return;
      const colored = series.map(({ tone, ...one }) => ({ ...one, color: `--${tone}` }));
      remove = drawChart(element, at, colored, time);
    });
    return () => {
      isGone = true;
      remove();
    };
  }, [drawn]);
  return (
    <Card title={title} id={id} note={note}>
      <div ref={place} class="chart" aria-hidden="true" />
      <p class="legend note" aria-hidden="true">
        {legend.map(({ name, tone }) => (
          <span key={name}>
            <span class={`dot ${tone}`} /> {name}
          </span>
        ))}
      </p>
      <details class="numbers">
        <summary>{t('chart_numbers')}</summary>
        <Table {...table} />
      </details>
    </Card>
  );
}

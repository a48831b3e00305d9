import { describe, expect, it } from 'vitest';
import type { Span } from '../../../workers/page/parts/axis-scale.ts';
import { axisOf, chartRange, placeOf } from '../../../workers/page/parts/axis-scale.ts';

const NOW = 1_800_000_000_000;
const span = (start: number, end: number | null): Span => ({ key: 'a', start, end, tone: 'busy', title: '' });

describe('a time axis', () => {
  it('shows all spans, and one that lasts until now', () => {
    const axis = axisOf([span(NOW - 60_000, NOW - 30_000), span(NOW - 20_000, null)], NOW);
    expect(axis).toMatchObject({ from: NOW - 60_000, to: NOW });
    if (axis === null) return;
    expect(placeOf(span(NOW - 60_000, NOW - 30_000), axis, NOW)).toEqual({ left: 0, width: 50 });
    expect(placeOf(span(NOW - 30_000, null), axis, NOW)).toEqual({ left: 50, width: 50 });
  });

  it('keeps a bar that can be seen, inside the axis', () => {
    const axis = axisOf([span(NOW - 3_600_000, NOW)], NOW);
    if (axis === null) throw new Error('there is an axis');
    const { left, width } = placeOf(span(NOW, NOW), axis, NOW);
    expect(width).toBeGreaterThan(0);
    expect(left + width).toBeLessThanOrEqual(100);
  });

  it.each([1, 900, 61_000, 3_600_000, 40 * 86_400_000])('names few times on %i ms', (length) => {
    const axis = axisOf([span(NOW - length, NOW)], NOW);
    expect(axis?.ticks.length).toBeGreaterThan(0);
    expect(axis?.ticks.length).toBeLessThanOrEqual(7);
  });

  it('is not there without spans', () => expect(axisOf([], NOW)).toBeNull());
});

describe('the time that a chart shows', () => {
  const HOUR = 3_600;

  it('has the whole first and last value', () => {
    const at = Array.from({ length: 24 }, (_, n) => n * HOUR);
    expect(chartRange(at, HOUR)).toEqual([-HOUR / 2, 23 * HOUR + HOUR / 2]);
    expect(chartRange([10, 20, 40], 0)).toEqual([10, 40]);
  });

  it('has the hours before, or a minute, with a single value', () => {
    expect(chartRange([10 * HOUR], HOUR)).toEqual([4.5 * HOUR, 10.5 * HOUR]);
    expect(chartRange([100], 0)).toEqual([70, 130]);
  });
});

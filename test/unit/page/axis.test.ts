import { describe, expect, it } from 'vitest';
import type { Span } from '../../../workers/page/parts/axis-scale.ts';
import { axisOf, placeOf } from '../../../workers/page/parts/axis-scale.ts';

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

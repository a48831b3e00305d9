import { describe, expect, it } from 'vitest';
import { createFormat } from '../../../workers/page/parts/format.ts';

const NOON = Date.UTC(2026, 9, 5, 12, 0, 0);
const en = createFormat('en', 'Europe/Berlin');
const zh = createFormat('zh', 'Asia/Shanghai');
const MINUTE = 60_000;

describe('values as the reader sees them', () => {
  it.each([
    [0, '0 s'],
    [119_000, '119 s'],
    [5 * MINUTE, '5 min'],
    [5 * 60 * MINUTE, '5 h'],
    [50 * 60 * MINUTE, '2 d'],
    [-5, '0 s'],
  ])('a span of %i ms is %s', (ms, text) => expect(en.span(ms)).toBe(text));

  it('what was measured is exact', () => {
    expect([310, 2_440, 61_000].map((ms) => en.exactSpan(ms))).toEqual(['310 ms', '2.4 s', '61 s']);
  });

  it('times are in the zone of the reader, with the day when it is not today', () => {
    expect(en.moment(NOON, NOON)).toBe('14:00:00');
    expect(en.moment(NOON, NOON + 24 * 60 * MINUTE)).toBe('5 Oct, 14:00');
    expect(zh.moment(NOON, NOON)).toBe('20:00:00');
    expect([en.clock(NOON, NOON), zh.clock(NOON, NOON)]).toEqual(['14:00:00 CEST', '20:00:00 GMT+8']);
  });

  it('says how long ago, and in how long', () => {
    expect([en.ago(NOON, NOON + MINUTE), en.ago(NOON + MINUTE, NOON)]).toEqual(['60 s ago', 'in 60 s']);
    expect([zh.ago(NOON, NOON + MINUTE), zh.ago(NOON + MINUTE, NOON)]).toEqual(['60 秒前', '60 秒后']);
  });

  it('sizes are in the unit that a person reads', () => {
    expect([999, 2_048, 3_500_000].map((count) => en.bytes(count))).toEqual(['999 B', '2.0 KB', '3.3 MB']);
  });
});

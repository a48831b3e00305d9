import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shareOut, shorten } from '../../../../local-agent/instructions/reply-output.ts';

describe('the shares of outputs in a reply', () => {
  it.each([
    [[], 100, []],
    [[30, 40], 100, [30, 40]],
    [[1_000, 10, 1_000], 100, [45, 10, 45]],
    [[1_000], 100, [100]],
  ])('%j in %i characters are %j', (lengths, total, shares) => {
    expect(shareOut(lengths, total)).toEqual(shares);
  });

  it('never exceed the limit, nor what an output needs', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50_000), { maxLength: 32 }), fc.nat(20_000), (lengths, total) => {
        const shares = shareOut(lengths, total);
        expect(shares.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(total);
        expect(shares.every((share, n) => share <= (lengths[n] ?? 0))).toBe(true);
      }),
    );
  });
});

describe('a shortened output', () => {
  it('is its beginning and its end, and names exactly what lies between, at any length', () => {
    const text = fc.array(fc.constantFrom('a', '\n', '😀', 'line of text\n'), { maxLength: 400 });
    fc.assert(
      fc.property(text, fc.nat(300), (parts, maxChars) => {
        const output = parts.join('');
        const short = shorten(output, maxChars);
        if (short === null) {
          expect(output.length).toBeLessThanOrEqual(maxChars);
          return;
        }
        const { head, tail, skipped } = short;
        const between = output.slice(skipped.offset, skipped.offset + skipped.chars);
        expect(head + between + tail).toBe(output);
        expect(skipped.lines).toBe(between.split('\n').length - 1);
        expect(head.length + tail.length).toBeLessThanOrEqual(maxChars);
        expect(head.isWellFormed() && tail.isWellFormed()).toBe(true);
      }),
    );
  });
});

/** Texts as they are compared and cut for an editor. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunksOf } from '../../../../extension/content/composing/text.ts';
import { isSameText, normalizeBreaks } from '../../../../extension/lib/same-text.ts';

describe('a text in parts', () => {
  it('is the same text together, no part is longer than allowed, and none ends within a character', () => {
    const text = fc.string({ unit: 'binary', maxLength: 200 });
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 50 }), (whole, maxChars) => {
        const parts = chunksOf(whole, maxChars);
        expect(parts.join('')).toBe(whole);
        for (const part of parts) {
          expect(part.length).toBeLessThanOrEqual(maxChars);
          expect(part.isWellFormed()).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is one part without a limit, and a character that is longer than the limit stays whole', () => {
    expect(chunksOf('abc', null)).toEqual(['abc']);
    expect(chunksOf('🎼🎼', 1)).toEqual(['🎼', '🎼']);
  });
});

describe('two texts', () => {
  it.each([
    ['a\r\nb\rc', 'a\nb\nc', true],
    ['a\n\nb', 'a\nb', false],
    ['a b', 'a\u00a0b', false],
    ['a', 'a ', false],
    ['\u00e9', 'e\u0301', false],
  ])('%j and %j: the same is %s', (a, b, isSame) => {
    expect(isSameText(a, b)).toBe(isSame);
  });

  it('an editor gets one kind of line break', () => {
    expect(normalizeBreaks('a\r\nb\rc\n')).toBe('a\nb\nc\n');
  });
});

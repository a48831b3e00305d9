import { describe, expect, it } from 'vitest';
import { cutText } from '../../../schema/domain/cut-text.ts';

describe('a text of somebody else in the log', () => {
  it('is written whole up to the limit, and beyond it says how much is missing', () => {
    expect(cutText('abc', 3)).toBe('abc');
    expect(cutText('abcdef', 3)).toBe('abc… (3 more characters)');
  });

  it('is not cut into half a surrogate pair', () => {
    expect(cutText('ab😀', 3).isWellFormed()).toBe(true);
  });
});

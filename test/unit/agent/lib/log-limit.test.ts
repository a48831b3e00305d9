import { describe, expect, it } from 'vitest';
import { cutForeign, LogLimit } from '../../../../local-agent/lib/log-limit.ts';
import { RateLimiter } from '../../../../local-agent/lib/rate-limit.ts';

describe('a limit on lines of the log', () => {
  it('lets the burst through, counts what it leaves out, and says so in the next line', () => {
    let now = 0;
    const limit = new LogLimit(new RateLimiter({ perSec: 1, burst: 2 }, () => now));
    const lines: number[] = [];
    for (let count = 0; count < 10; count += 1) limit.write((leftOut) => lines.push(leftOut));
    now = 1_000;
    limit.write((leftOut) => lines.push(leftOut));
    now = 2_000;
    limit.write((leftOut) => lines.push(leftOut));
    expect(lines).toEqual([0, 0, 8, 0]);
  });

  it.each([
    [undefined, undefined],
    ['https://short.example', 'https://short.example'],
    ['x'.repeat(5_000), `${'x'.repeat(100)}… (5000 characters)`],
  ])('cuts the text of a stranger: %.20s', (text, cut) => {
    expect(cutForeign(text)).toBe(cut);
  });
});

import { describe, expect, it } from 'vitest';
import { interleave } from '../../bench/harness/measure.ts';
import { comparison, speedGoals } from '../../bench/harness/report.ts';
import { median, percentile } from '../../bench/harness/stats.ts';

describe('the statistics of the benchmarks', () => {
  it('take the middle of the measured values in any order', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(percentile([4, 3, 2, 1], 0.99)).toBe(4);
    expect(median([])).toBeNaN();
  });
});

describe('an interleaved run', () => {
  it('gives every subject its turn in every round, and every other round in reverse', async () => {
    const turns: string[] = [];
    const subject = (name: string) => ({ name, role: 'peer' as const, run: () => turns.push(name) });
    await interleave([subject('a'), subject('b')], { rounds: 2, sliceMs: 0 });
    expect(turns).toEqual(['a', 'b', 'a', 'b', 'b', 'a']);
  });

  it('fails when an operation fails, so that a broken subject is not called fast', async () => {
    const broken = { name: 'broken', role: 'ours' as const, run: () => Promise.reject(new Error('refused')) };
    await expect(interleave([broken], { rounds: 1, sliceMs: 0 })).rejects.toThrow('refused');
  });
});

describe('a comparison', () => {
  const line = (name: string, role: 'ours' | 'peer', perSec: number) => ({ name, role, perSec, p50Ms: 1, p99Ms: 2 });
  const measured = [line('ours', 'ours', 300), line('theirs', 'peer', 100)];

  it('says how many times as fast ours is', () => {
    const { rows } = comparison('renew', measured, { unit: 'ops/s' });
    expect(rows.map((row) => row.at(-1))).toEqual(['', '3']);
  });

  it('has no wish about a peer that is absent', () => {
    const goals = speedGoals(measured, 'ours', [
      [2, 'theirs'],
      [2, 'somebody absent'],
    ]);
    expect(goals).toEqual([{ text: 'ours: × theirs', reached: 3, is: 'at least', wanted: 2 }]);
  });
});

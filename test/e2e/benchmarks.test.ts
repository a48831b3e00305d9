/** Each benchmark in its quick form, with the real runtime and processes. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderReport } from '../bench/harness/report.ts';
import { BENCHMARKS } from '../bench/registry.ts';

const FOLDER = new URL('../bench/', import.meta.url);
const QUICK = ['extraction', 'bridge', 'fleet', 'start-up'];

describe('the benchmarks', () => {
  it('are all registered, under the names of their files', () => {
    const files = readdirSync(FOLDER).filter(
      (name) => name.endsWith('.ts') && !['main.ts', 'registry.ts'].includes(name),
    );
    expect(BENCHMARKS.map(({ name }) => `${name}.ts`).toSorted()).toEqual(files.toSorted());
  });

  it.each(QUICK)('%s runs in its quick form', async (name) => {
    const benchmark = BENCHMARKS.find((one) => one.name === name);
    const report = await benchmark?.run({ quick: true });
    expect(report?.sections.every(({ rows }) => rows.length > 0)).toBe(true);
    expect(report && renderReport(report)).not.toContain('NaN');
  });
});

describe('the cost of idle nodes', () => {
  it('stays within the free plan for two, and near the base price for ten thousand', async () => {
    const report = await BENCHMARKS.find(({ name }) => name === 'cost')?.run({ quick: true });
    const goals = report?.sections.flatMap((section) => section.goals) ?? [];
    expect(goals).toHaveLength(5);
    for (const { reached, wanted } of goals) expect(reached).toBeLessThanOrEqual(wanted);
    const pings = report?.sections[0]?.rows.find(([operation]) => operation === 'ping over the channel');
    expect(pings?.slice(1)).toEqual(['0', '0', '0', '0', '0', '0', '0', '0.00']);
  });
});

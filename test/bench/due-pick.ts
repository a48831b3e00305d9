/** What finding the due jobs costs as the table grows: rows read, and time. The query is the dispatcher's own. */
import { CountedEdge } from './edge/counted.ts';
import { FAR, makeDue, REACHABLE, rowsWithoutIndex, storeJobs } from './edge/stored-jobs.ts';
import type { Benchmark } from './harness/benchmark.ts';
import { paceOf } from './harness/benchmark.ts';
import type { Cleanup } from './harness/cleanup.ts';
import { withCleanup } from './harness/cleanup.ts';
import { interleave } from './harness/measure.ts';
import type { Section } from './harness/report.ts';
import { figure } from './harness/report.ts';

const LIMIT = 10;
const LAST_DUE = FAR + LIMIT - 1;

interface Sized {
  size: number;
  edge: CountedEdge;
  pickRows: number;
  scanRows: number;
  idlePickRows: number;
}

/** The least of a few: the tick of an alarm may fall into one of them, and only adds. */
async function rowsOf(edge: CountedEdge, now: number, wanted: number): Promise<number> {
  const tries: number[] = [];
  for (let attempt = 0; attempt < 3; attempt++) {
    const { d1_rows_read } = await edge.costOf(async () => {
      const found = await edge.pick(now, LIMIT);
      if (found !== wanted) throw new Error(`${found} jobs were due instead of ${wanted}`);
    });
    tries.push(d1_rows_read);
  }
  return Math.min(...tries);
}

async function fill(cleanup: Cleanup, size: number): Promise<Sized> {
  const edge = await CountedEdge.start(cleanup);
  await storeJobs(edge.runtime, size, edge.leader.id);
  return {
    size,
    edge,
    pickRows: await rowsOf(edge, LAST_DUE, LIMIT),
    idlePickRows: await rowsOf(edge, FAR - 1, 0),
    scanRows: await rowsWithoutIndex(edge.runtime, LAST_DUE, LIMIT),
  };
}

async function tickRows({ edge }: Sized): Promise<[idle: string, busy: string]> {
  await edge.cron();
  await edge.settled();
  const idle = await edge.costOf(() => edge.cron());
  await makeDue(edge.runtime, REACHABLE, Date.now());
  const busy = await edge.costOf(() => edge.cron());
  return [idle, busy].map((cost) => `${cost.d1_rows_read} / ${cost.d1_rows_written}`) as [string, string];
}

export const duePick: Benchmark = {
  name: 'due-pick',
  what: 'finding the due jobs as the table grows',
  run: (options) =>
    withCleanup(async (cleanup) => {
      const sizes = options.quick ? [100, 1_000] : [1_000, 100_000, 1_000_000];
      const filled: Sized[] = [];
      for (const size of sizes) filled.push(await fill(cleanup, size));
      const measured = await interleave(
        filled.map(({ size, edge }) => ({
          name: String(size),
          role: 'ours' as const,
          run: () => edge.pick(LAST_DUE, LIMIT),
        })),
        paceOf(options),
      );
      const rows: string[][] = [];
      for (const [index, one] of filled.entries()) {
        const { size, pickRows, idlePickRows, scanRows } = one;
        const ms = measured[index]?.p50Ms ?? Number.NaN;
        rows.push([
          figure(size),
          figure(ms),
          figure(pickRows),
          figure(idlePickRows),
          figure(scanRows),
          ...(await tickRows(one)),
        ]);
      }
      const [first, last] = [filled[0], filled.at(-1)];
      const ms = (index: number): number => measured.at(index)?.p50Ms ?? Number.NaN;
      const section: Section = {
        title: `Picking ${LIMIT} due of the jobs that are stored, half of them pending`,
        head: [
          'stored',
          'p50 ms',
          'rows read',
          'with nothing due',
          'without an index',
          'idle tick, read / written',
          `tick with ${REACHABLE} due, read / written`,
        ],
        rows,
        goals: [
          { text: `t(${last?.size}) ÷ t(${first?.size})`, reached: ms(-1) / ms(0), is: 'at most', wanted: 1.5 },
          {
            text: 'rows read at the largest ÷ at the smallest',
            reached: (last?.pickRows ?? Number.NaN) / (first?.pickRows ?? Number.NaN),
            is: 'at most',
            wanted: 1,
          },
          { text: 'rows read with nothing due', reached: last?.idlePickRows ?? Number.NaN, is: 'at most', wanted: 1 },
        ],
        notes: [
          'Times hold the HTTP request around the query. Each due job also brings its conversation, links and message,',
          'by key; a pick reads them along.',
        ],
      };
      return { sections: [section], absent: [] };
    }),
};

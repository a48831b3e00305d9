/** How fast `baa` blocks are found, beside a scanner that knows lines only and two CommonMark parsers. */
import MarkdownIt from 'markdown-it';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { BlockExtractor, extractBlocks } from '../../local-agent/instructions/extract.ts';
import { parseBlocks } from '../../local-agent/instructions/parse.ts';
import { scanLines } from './extraction/line-scanner.ts';
import { FAMILIES, messageOf } from './extraction/texts.ts';
import type { Benchmark, BenchOptions } from './harness/benchmark.ts';
import { paceOf } from './harness/benchmark.ts';
import type { Subject } from './harness/measure.ts';
import { interleave } from './harness/measure.ts';
import type { Section } from './harness/report.ts';
import { comparison, figure, speedGoals } from './harness/report.ts';
import { growthExponent } from './harness/stats.ts';

const KIB = 1024;
const OURS = 'extract and parse';
const SCANNER = 'line scanner with JSON';
const BLOCKS_ONLY = 'markdown-it, block rules only';
const MARKDOWN_IT = 'markdown-it';
const MDAST = 'mdast-util-from-markdown';

const whole = new MarkdownIt('commonmark');
const blocksOnly = new MarkdownIt('commonmark');
blocksOnly.core.ruler.enableOnly(['normalize', 'block']);

/** The floor first, then the peers. */
const OTHERS: readonly (readonly [name: string, run: (text: string) => unknown])[] = [
  [SCANNER, scanLines],
  [BLOCKS_ONLY, (text) => blocksOnly.parse(text, {})],
  [MARKDOWN_IT, (text) => whole.parse(text, {})],
  [MDAST, fromMarkdown],
];

const parsers = (text: string): Subject[] => [
  { name: OURS, role: 'ours', run: () => parseBlocks(extractBlocks(text)) },
  { name: 'extract', role: 'ours', run: () => extractBlocks(text) },
  ...OTHERS.map(
    ([name, run]): Subject => ({
      name,
      role: name === SCANNER ? 'floor' : 'peer',
      once: name === MDAST,
      run: () => run(text),
    }),
  ),
];

async function messages(options: BenchOptions, size: number): Promise<Section> {
  const measured = await interleave(parsers(messageOf(size)), paceOf(options));
  const goals = speedGoals(measured, OURS, [
    [0.7, SCANNER],
    [50, MARKDOWN_IT],
  ]);
  const ms = 1_000 / (measured.find(({ name }) => name === OURS)?.perSec ?? Number.NaN);
  goals.push({ text: `${OURS}, ms`, reached: ms, is: 'at most', wanted: 15 });
  return comparison(`A message of ${size / KIB} KiB`, measured, { unit: 'ms', goals });
}

async function streaming(options: BenchOptions, size: number): Promise<Section> {
  const text = messageOf(size);
  const pieces = text.match(/[\s\S]{1,64}/g) ?? [];
  const streamed: Subject = {
    name: 'in pieces of 64 characters',
    role: 'ours',
    run() {
      const extractor = new BlockExtractor();
      for (const piece of pieces) extractor.push(piece);
      return extractor.end();
    },
  };
  const scan: Subject = { name: 'one scan', role: 'floor', run: () => extractBlocks(text) };
  const rescan: Subject = {
    name: 'line scanner, anew at each piece',
    role: 'peer',
    once: true,
    run() {
      let seen = '';
      for (const piece of pieces) {
        seen += piece;
        try {
          scanLines(seen);
        } catch {
          // A block that is cut in the middle holds no JSON yet.
        }
      }
    },
  };
  const measured = await interleave([streamed, scan, rescan], paceOf(options));
  const goals = speedGoals(measured, streamed.name, [
    [100, rescan.name],
    [0.1, scan.name],
  ]);
  return comparison(`A message of ${size / KIB} KiB as a stream`, measured, { unit: 'ms', goals });
}

/** What the clock can tell apart. */
const CLOCK_MS = 1e-6;

/** Milliseconds of one call: the fastest of a few, as what disturbs only adds. A parser that throws took for ever. */
function callMs(call: () => unknown, budgetMs: number): number {
  let best = Number.POSITIVE_INFINITY;
  const start = performance.now();
  do {
    const before = performance.now();
    try {
      call();
    } catch {
      return Number.POSITIVE_INFINITY;
    }
    // Never zero: growth is told from its logarithm.
    best = Math.min(best, Math.max(performance.now() - before, CLOCK_MS));
  } while (performance.now() - start < budgetMs);
  return best;
}

/** A peer that would take minutes is asked for smaller texts, and the largest it was asked for is told. */
const PATIENCE_MS = 1_000;

function peerCell(run: (text: string) => unknown, make: (size: number) => string, size: number, budgetMs: number) {
  for (let smaller = size / 64; ; smaller *= 2) {
    const text = make(smaller);
    const ms = callMs(() => run(text), smaller < size ? 0 : budgetMs);
    if (!Number.isFinite(ms)) return 'throws';
    if (smaller >= size) return figure(ms);
    if (ms > PATIENCE_MS) return `${figure(ms)} at ${smaller / KIB} KiB`;
  }
}

function adversarial({ quick }: BenchOptions): Section {
  const budgetMs = quick ? 1 : 40;
  const kib = quick ? 1 : 64;
  const sizes = [0.25, 0.5, 1, 2, 4].map((factor) => factor * kib * KIB);
  const exponents: number[] = [];
  let worstMs = 0;
  const rows = Object.entries(FAMILIES).map(([name, make]) => {
    const text = make(kib * KIB);
    const exponent = growthExponent(
      sizes.map((size) => {
        const sized = make(size);
        return { size, ms: callMs(() => parseBlocks(extractBlocks(sized)), budgetMs) };
      }),
    );
    exponents.push(exponent);
    const ours = callMs(() => parseBlocks(extractBlocks(text)), budgetMs);
    worstMs = Math.max(worstMs, ours);
    const others = OTHERS.map(([, run]) => peerCell(run, make, kib * KIB, budgetMs));
    return [name, figure(ours), ...others, exponent.toFixed(2)];
  });
  return {
    title: `Adversarial families of ${kib} KiB, ms; growth of ours from ${kib / 4} to ${kib * 4} KiB as the exponent of the size`,
    head: ['', OURS, ...OTHERS.map(([name]) => name), 'exponent'],
    rows,
    goals: [
      { text: 'the largest exponent of ours', reached: Math.max(...exponents), is: 'at most', wanted: 1.2 },
      { text: 'the worst family, ms', reached: worstMs, is: 'at most', wanted: 15 },
    ],
    notes: [],
  };
}

export const extraction: Benchmark = {
  name: 'extraction',
  what: 'finding and parsing the baa blocks of a message',
  async run(options) {
    const [small, large] = options.quick ? [8 * KIB, 32 * KIB] : [128 * KIB, KIB * KIB];
    return {
      sections: [
        await messages(options, small),
        await messages(options, large),
        await streaming(options, large),
        adversarial(options),
      ],
      absent: [],
    };
  },
};

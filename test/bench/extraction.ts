/**
 * How long it takes to find and parse `baa` blocks: in messages as assistants write them, beside a scanner that knows
 * lines only and beside CommonMark parsers that do more; and in texts of the size of a message that are hard to parse.
 */
import MarkdownIt from 'markdown-it';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { readMessage } from '../../local-agent/instructions/read-message.ts';
import { scanLines } from './extraction/line-scanner.ts';
import { FAMILIES, messageOf } from './extraction/texts.ts';
import type { Benchmark, BenchOptions } from './harness/benchmark.ts';
import { paceOf } from './harness/benchmark.ts';
import type { Subject } from './harness/measure.ts';
import { interleave } from './harness/measure.ts';
import type { Section } from './harness/report.ts';
import { comparison, figure } from './harness/report.ts';

const KIB = 1024;
const OURS = 'extract and parse';
/** How long any message may block the event loop. */
const LIMIT_MS = 250;
const MESSAGE_SIZE = 512 * KIB;
const BLOCK = '\n\n```baa\n@conductor::status\n```\n';

const wholeMarkdown = new MarkdownIt('commonmark');

function parsers(text: string): Subject[] {
  return [
    { name: OURS, role: 'ours', run: () => readMessage(text) },
    { name: 'line scanner with JSON', role: 'floor', run: () => scanLines(text) },
    { name: 'markdown-it, inline rules too', role: 'peer', run: () => wholeMarkdown.parse(text, {}) },
    { name: 'mdast-util-from-markdown', role: 'peer', once: true, run: () => fromMarkdown(text) },
  ];
}

async function messages(options: BenchOptions, size: number): Promise<Section> {
  const measured = await interleave(parsers(messageOf(size)), paceOf(options));
  const ms = 1_000 / (measured.find(({ name }) => name === OURS)?.perSec ?? Number.NaN);
  const goals = [{ text: `${OURS}, ms`, reached: ms, is: 'at most' as const, wanted: LIMIT_MS }];
  return comparison(`A message of ${size / KIB} KiB`, measured, { unit: 'ms', goals });
}

async function messageWithoutBlocks(options: BenchOptions, size: number): Promise<Section> {
  const text = messageOf(size).replaceAll('```baa', '```sh');
  const measured = await interleave(parsers(text), paceOf(options));
  return comparison(`A message of ${size / KIB} KiB without blocks, which is not parsed`, measured, { unit: 'ms' });
}

/** Milliseconds of the thread's own processor time: what other processes take does not count. The least of a few calls. */
function threadMs(text: string, calls: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let call = 0; call < calls; call += 1) {
    const before = process.threadCpuUsage();
    readMessage(text);
    const { user, system } = process.threadCpuUsage(before);
    least = Math.min(least, (user + system) / 1_000);
  }
  return least;
}

/** Each family below a block and above one, since the parser sees the whole text in both. */
function adversarial({ quick }: BenchOptions): Section {
  const size = quick ? 16 * KIB : MESSAGE_SIZE;
  let worst = 0;
  const rows = Object.entries(FAMILIES).map(([name, make]) => {
    const text = make(size - BLOCK.length);
    const times = [text + BLOCK, BLOCK + text].map((message) => threadMs(message, quick ? 1 : 3));
    worst = Math.max(worst, ...times);
    const refused = readMessage(BLOCK + text).errors.some(({ code }) => code === 'message_too_complex');
    return [name, ...times.map(figure), refused ? 'refused' : ''];
  });
  return {
    title: `Texts of ${size / KIB} KiB that are hard to parse, ms of the thread`,
    head: ['', 'above a block', 'below a block', ''],
    rows,
    goals: [{ text: 'the worst text, ms', reached: worst, is: 'at most', wanted: LIMIT_MS }],
    notes: ['A refused text is an error of the message: it takes more steps to parse than are allowed.'],
  };
}

export const extraction: Benchmark = {
  name: 'extraction',
  what: 'finding and parsing the baa blocks of a message',
  async run(options) {
    const [small, large] = options.quick ? [8 * KIB, 32 * KIB] : [128 * KIB, MESSAGE_SIZE];
    return {
      sections: [
        await messages(options, small),
        await messages(options, large),
        await messageWithoutBlocks(options, large),
        adversarial(options),
      ],
      absent: [],
    };
  },
};

/** What a simulated day says. */
import { FREE_PLAN } from '../../../schema/defaults.ts';
import type { Section } from '../harness/report.ts';
import { figure } from '../harness/report.ts';
import { percentile } from '../harness/stats.ts';
import { HOURS } from './chats.ts';
import type { DayRun, Sample } from './samples.ts';
import { FILES, HEAPS, PROCESSES, SECOND_AGENT } from './samples.ts';

/** Caches and pools are full by then. */
const WARM_HOURS = 6;
/** A gigabyte in a month and a half: what grows more is a leak. */
const GROWTH_MB_PER_HOUR = 1;

const named = ({ hour }: Sample, last: number): string =>
  hour < 0 ? 'at rest, before' : hour > last ? 'at rest, after' : `after ${hour} h`;

/** How much `of` grows an hour, by least squares. NaN of less than two samples. */
export function slope(samples: readonly Sample[], of: (sample: Sample) => number): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const middle = { x: mean(samples.map(({ hour }) => hour)), y: mean(samples.map(of)) };
  const products = samples.map((sample) => (sample.hour - middle.x) * (of(sample) - middle.y));
  return mean(products) / mean(samples.map(({ hour }) => (hour - middle.x) ** 2));
}

const ofNpmStart = PROCESSES.filter((name) => name !== SECOND_AGENT);
const allPss = ({ processes }: Sample): number => ofNpmStart.reduce((sum, name) => sum + processes[name].pssMb, 0);
const allRss = ({ processes }: Sample): number => ofNpmStart.reduce((sum, name) => sum + processes[name].rssMb, 0);

function workSection({ chats, ticks, tasks, rows, hours, loads }: DayRun): Section {
  const sum = (of: (tally: DayRun['chats'][number]) => number) => chats.reduce((all, tally) => all + of(tally), 0);
  const replyMs = chats.flatMap((tally) => tally.replyMs);
  const scale = HOURS / hours;
  return {
    title: `${hours} simulated hours of two nodes`,
    head: ['', ''],
    rows: [
      [
        'messages with two instructions, replies',
        `${figure(sum(({ messages }) => messages))}, ${figure(sum(({ replies }) => replies))}`,
      ],
      ['renewals', figure(sum(({ renewals }) => renewals))],
      [
        'from a message to its reply, ms: p50 / p99 / most',
        [0.5, 0.99, 1].map((part) => figure(percentile(replyMs, part))).join(' / '),
      ],
      [
        'ticks of the cron, tasks of three steps, reconnected browsers',
        [ticks, tasks, sum(({ reconnects }) => reconnects)].map(figure).join(', '),
      ],
      ['rows of D1 read, written', `${figure(rows.read)}, ${figure(rows.written)}`],
      ['load', `${figure(Math.min(...loads))} to ${figure(Math.max(...loads))}`],
    ],
    goals: [
      {
        text: 'messages without a reply',
        reached: sum(({ messages, replies }) => messages - replies),
        is: 'at most',
        wanted: 0,
      },
      {
        text: 'renewals that did not come',
        reached: sum(({ renewable, renewals }) => renewable - renewals),
        is: 'at most',
        wanted: 0,
      },
      { text: 'rows written in a day', reached: rows.written * scale, is: 'at most', wanted: FREE_PLAN.rows_written },
      { text: 'rows read in a day', reached: rows.read * scale, is: 'at most', wanted: FREE_PLAN.rows_read },
    ],
    notes: ['Rows as the edge counts them, with the page that was open all day.'],
  };
}

function memorySection({ samples, hours }: DayRun): Section {
  const warm = samples.filter(({ hour }) => hour >= WARM_HOURS && hour <= hours);
  const cells = (sample: Sample) =>
    PROCESSES.map((name) => sample.processes[name]).map(({ rssMb, pssMb }) => `${figure(rssMb)} / ${figure(pssMb)}`);
  const grows = [
    'growth, MB an hour',
    ...PROCESSES.map((name) =>
      [({ processes }: Sample) => processes[name].rssMb, ({ processes }: Sample) => processes[name].pssMb]
        .map((of) => slope(warm, of).toFixed(2))
        .join(' / '),
    ),
    `${slope(warm, allRss).toFixed(2)} / ${slope(warm, allPss).toFixed(2)}`,
  ];
  return {
    title: 'Memory, MB: RSS / Pss',
    head: ['', ...PROCESSES, 'npm start'],
    rows: [
      ...samples.map((sample) => [
        named(sample, hours),
        ...cells(sample),
        `${figure(allRss(sample))} / ${figure(allPss(sample))}`,
      ]),
      grows,
    ],
    goals: [
      {
        text: `npm start: growth of Pss after ${WARM_HOURS} h, MB an hour`,
        reached: slope(warm, allPss),
        is: 'at most',
        wanted: GROWTH_MB_PER_HOUR,
      },
    ],
    notes: [],
  };
}

function heapSection({ samples, hours }: DayRun): Section {
  const collected = samples.filter(({ heaps }) => heaps !== null);
  return {
    title: 'In use after a collection, MB: objects and buffers of Node',
    head: ['', ...HEAPS],
    rows: collected.map((sample) => [
      named(sample, hours),
      ...HEAPS.map((heap) => sample.heaps?.[heap].toFixed(1) ?? '–'),
    ]),
    goals: [],
    notes: [],
  };
}

function fileSection({ samples, hours }: DayRun): Section {
  const shown = samples.filter(({ hour }) => hour < 0 || hour > hours || hour % WARM_HOURS === 0);
  return {
    title: 'Files, KB',
    head: ['', ...FILES],
    rows: shown.map((sample) => [named(sample, hours), ...FILES.map((kind) => figure(sample.files[kind]))]),
    goals: [],
    notes: ['The database keeps what was said and done; state, logs and run files are the mean of both nodes.'],
  };
}

export function daySections(run: DayRun): Section[] {
  return [workSection(run), memorySection(run), heapSection(run), fileSection(run)];
}

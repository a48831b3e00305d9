/**
 * What the events of a commit add to the counters. A counter has a name such as `deliveries/reply/failed` and only grows;
 * the names here are all that there are, so a damaged event cannot add one.
 */
import { PAUSE_REASONS } from '../contracts/conversations.ts';
import type { InstructionState } from '../contracts/instructions.ts';
import { INSTRUCTION_STATES, REPLY_OUTCOMES } from '../contracts/instructions.ts';
import { DELIVERY_OUTCOMES } from '../contracts/renewal.ts';
import { RUN_STATUSES } from '../contracts/runs.ts';
import type { CountedOutcome, DeliveryKind, Histogram } from '../contracts/stats.ts';
import { TASK_STATUSES } from '../contracts/tasks.ts';
import { isFinalStatus } from './instruction-machine.ts';

export type Counts = Readonly<Record<string, number>>;
/** An event as far as it is counted. */
export interface CountedEvent {
  topic: string;
  type: string;
  data: Readonly<Record<string, unknown>>;
}

/** Names of a family, as `<family>/<word>`. */
export const COUNTER = {
  deliveries: (kind: DeliveryKind, outcome: CountedOutcome) => `deliveries/${kind}/${outcome}`,
  instructions: (status: string) => `instructions/${status}`,
  runs: (status: string) => `runs/${status}`,
  tasks: (status: string) => `tasks/${status}`,
  pauses: (reason: string) => `pauses/${reason}`,
  rows_read: 'd1/rows_read',
  rows_written: 'd1/rows_written',
} as const;

/** Upper bounds in milliseconds. A renewal leaves within a second when nothing holds it back. */
export const LATENESS = {
  name: 'renewal_lateness',
  bounds_ms: [500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000],
} as const;
export const TICK_DURATION = {
  name: 'tick_duration',
  bounds_ms: [10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000],
} as const;
export interface HistogramKind {
  name: string;
  bounds_ms: readonly number[];
}

/** One observation of a histogram. */
export function observe({ name, bounds_ms }: HistogramKind, ms: number): Counts {
  const value = Math.max(0, Math.round(ms));
  const bound = bounds_ms.find((one) => value <= one);
  return { [bucket(name, bound)]: 1, [`${name}/sum_ms`]: value };
}

/** The histogram that these counts hold. */
export function histogramOf({ name, bounds_ms }: HistogramKind, counts: Counts): Histogram {
  const buckets = [...bounds_ms, null].map((le_ms) => ({
    le_ms,
    count: counts[bucket(name, le_ms ?? undefined)] ?? 0,
  }));
  const count = buckets.reduce((sum, one) => sum + one.count, 0);
  return { count, sum_ms: counts[`${name}/sum_ms`] ?? 0, buckets };
}

function bucket(name: string, bound: number | undefined): string {
  return `${name}/${bound ?? 'more'}`;
}

export function addCounts(...all: readonly Counts[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const counts of all) {
    for (const [name, value] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + value;
  }
  return sum;
}

/** How much each counter has grown. One that is absent from `before` began at nothing. */
export function grownBy(before: Counts, after: Counts): Counts {
  return Object.fromEntries(
    Object.entries(after).map(([name, value]) => [name, Math.max(0, value - (before[name] ?? 0))]),
  );
}

const NONE: Counts = {};

/** `ended`: how many instructions the commit has ended, by status. */
export function countCommit(events: readonly CountedEvent[], ended: Counts | null): Counts {
  return addCounts(countEnded(ended), ...events.map(countEvent));
}

/** How many of these statuses are the end of an instruction, by status; null for none. */
export function endsAmong(statuses: readonly InstructionState[]): Record<string, number> | null {
  const ended = addCounts(...statuses.filter(isFinalStatus).map((status) => ({ [status]: 1 })));
  return Object.keys(ended).length === 0 ? null : ended;
}

function countEnded(ended: unknown): Counts {
  if (typeof ended !== 'object' || ended === null) return NONE;
  const known = Object.entries(ended).filter(
    ([status, n]) => (INSTRUCTION_STATES as readonly string[]).includes(status) && typeof n === 'number' && n > 0,
  );
  return Object.fromEntries(known.map(([status, n]) => [COUNTER.instructions(status), n]));
}

function countEvent({ topic, type, data }: CountedEvent): Counts {
  switch (topic) {
    case 'renewal':
      return countRenewal(type, data);
    case 'messages':
      if (type === 'ingested') return countEnded(data.ended);
      return one(REPLY_OUTCOMES, /^reply_(.*)$/.exec(type)?.[1], (outcome) => COUNTER.deliveries('reply', outcome));
    case 'tasks':
      return countTask(type, data);
    case 'runs':
      return type === 'ended' ? one(RUN_STATUSES, data.status, COUNTER.runs) : NONE;
    case 'conversations':
      return data.automation_status === 'paused' ? one(PAUSE_REASONS, data.pause_reason, COUNTER.pauses) : NONE;
    default:
      return NONE;
  }
}

/** Counts an event that names one of the words. */
function one<T extends string>(words: readonly T[], value: unknown, name: (word: T) => string): Counts {
  const word = words.find((known) => known === value);
  return word === undefined ? NONE : { [name(word)]: 1 };
}

/** An attempt is counted when it ends: one that is uncertain may still turn out to have been delivered. */
function countRenewal(type: string, { outcome, result, late_ms }: CountedEvent['data']): Counts {
  switch (type) {
    case 'job_attempt_started':
      return typeof late_ms === 'number' ? observe(LATENESS, late_ms) : NONE;
    case 'job_completed':
    case 'job_retry_scheduled':
    case 'job_deferred':
    case 'job_failed':
      if (result === 'delivery_unknown') return { [COUNTER.deliveries('renewal', 'uncertain')]: 1 };
      // The node never accepted the command.
      if (outcome === 'unknown') return { [COUNTER.deliveries('renewal', 'failed')]: 1 };
      return one(DELIVERY_OUTCOMES, outcome, (word) => COUNTER.deliveries('renewal', word));
    default:
      return NONE;
  }
}

function countTask(type: string, { status }: CountedEvent['data']): Counts {
  if (type === 'ended') return one(TASK_STATUSES, status, COUNTER.tasks);
  if (type !== 'notice') return NONE;
  return one(['delivered', 'failed', 'uncertain'] as const, status, (word) => COUNTER.deliveries('task_report', word));
}

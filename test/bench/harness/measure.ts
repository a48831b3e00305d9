/**
 * Measures several subjects in one interleaved run: each round gives every subject a slice of time, every other round in
 * reverse order, so that a machine that slows down slows all of them. A figure is the median over the rounds. Figures
 * of different runs are not comparable; ratios within one are.
 */
import { median, percentile } from './stats.ts';

export const ROLES = ['ours', 'peer', 'floor'] as const;
export type Role = (typeof ROLES)[number];

export interface Subject {
  name: string;
  role: Role;
  /** One operation, over when what it returns has settled. `lane`: which of the concurrent callers asks, from 0. */
  run(lane: number): unknown;
  /** What follows each operation, outside its time. */
  afterEach?(): Promise<void>;
  /** Too slow for every round: measured in the first only. */
  once?: boolean;
}

export interface Pace {
  rounds: number;
  /** How long a subject runs in a round; at least one operation is always done. */
  sliceMs: number;
}

export interface Measured {
  name: string;
  role: Role;
  perSec: number;
  /** Of one operation, waiting for its turn included. */
  p50Ms: number;
  p99Ms: number;
}

interface Slice {
  perSec: number;
  latenciesMs: number[];
}

/** Latencies that are kept of one slice: enough for a p99. */
const MAX_SAMPLES = 20_000;

async function lane(subject: Subject, index: number, until: number, latenciesMs: number[]): Promise<number> {
  let done = 0;
  let now = performance.now();
  do {
    const result = subject.run(index);
    if (result instanceof Promise) await result;
    const after = performance.now();
    if (latenciesMs.length < MAX_SAMPLES) latenciesMs.push(after - now);
    now = after;
    done += 1;
    if (subject.afterEach === undefined) continue;
    await subject.afterEach();
    now = performance.now();
  } while (now < until);
  return done;
}

async function slice(subject: Subject, lanes: number, sliceMs: number): Promise<Slice> {
  const latenciesMs: number[] = [];
  const start = performance.now();
  const counts = await Promise.all(
    Array.from({ length: lanes }, (_, index) => lane(subject, index, start + sliceMs, latenciesMs)),
  );
  const done = counts.reduce((sum, count) => sum + count, 0);
  return { perSec: (done * 1_000) / (performance.now() - start), latenciesMs };
}

/** Runs all subjects with that many concurrent callers each. Rejects with the first operation that fails. */
export async function interleave(subjects: readonly Subject[], pace: Pace, lanes = 1): Promise<Measured[]> {
  const slices = new Map<Subject, Slice[]>(subjects.map((subject) => [subject, []]));
  for (const subject of subjects) if (!subject.once) await slice(subject, lanes, pace.sliceMs / 4);
  for (let round = 0; round < pace.rounds; round++) {
    const order = round % 2 === 0 ? subjects : subjects.toReversed();
    for (const subject of order) {
      if (round > 0 && subject.once) continue;
      slices.get(subject)?.push(await slice(subject, lanes, pace.sliceMs));
    }
  }
  return Array.from(slices, ([{ name, role }, taken]) => ({
    name,
    role,
    perSec: median(taken.map(({ perSec }) => perSec)),
    p50Ms: median(taken.map(({ latenciesMs }) => percentile(latenciesMs, 0.5))),
    p99Ms: median(taken.map(({ latenciesMs }) => percentile(latenciesMs, 0.99))),
  }));
}

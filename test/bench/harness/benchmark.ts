/** What every benchmark is: a name, what it measures, and a run that gives a report. */
import type { Pace } from './measure.ts';
import type { Report } from './report.ts';

export interface BenchOptions {
  /** Small sizes and few operations: shows that it runs, measures nothing worth keeping. */
  quick: boolean;
}

export interface Benchmark {
  name: string;
  /** One line for the list. */
  what: string;
  run(options: BenchOptions): Promise<Report>;
}

/** Rounds and slices of a full run, or of a quick one. */
export function paceOf({ quick }: BenchOptions): Pace {
  return quick ? { rounds: 1, sliceMs: 20 } : { rounds: 5, sliceMs: 400 };
}

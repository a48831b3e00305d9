/** A timed job ("runner" in the tick log): a name and an async function of the tick. One that throws fails alone. */
import type { SystemMode } from '../../schema/contracts/system.ts';
import type { Edge } from '../db/plan.ts';
import type { Settings } from '../settings.ts';
import type { Logger, TickOrigin } from './tick-log.ts';

/** `now` is the one time of the tick. */
export interface RunnerContext extends Edge, TickOrigin {
  /** A number in [0, 1). */
  random: () => number;
  mode: SystemMode;
  settings: Settings;
  log: Logger;
  /** Whether the D1 statements of one more item fit into the tick, beside what the jobs after this one need. */
  hasRoom(): boolean;
  /** Takes work that the tick does not wait for, such as requests to others. It never rejects. */
  defer(work: Promise<void>): void;
}

/** The result of a job that left items for want of room: the next tick is due at once. */
export const MORE = 'more';

export interface Runner {
  name: string;
  /** Ordinary jobs are skipped while the system is paused or no node leads; the others run in every tick. */
  ordinary: boolean;
  /** The most D1 statements of a run: `base`, and `each` for every item of a job that works off items one by one. */
  queries: { base: number; each?: number };
  /** Returns `ok`, `idle` when there was nothing to do, `more`, or another word for the outcome. */
  run(context: RunnerContext): Promise<string>;
}

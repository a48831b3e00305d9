/** What a timed job is: a name and an async function of the tick. One that throws fails alone. */
import type { SystemMode } from '../../schema/contracts/system.ts';
import { TIMED_JOBS } from '../../schema/defaults.ts';
import type { Database } from '../db/open.ts';
import type { Settings } from '../settings.ts';
import type { Logger, TickOrigin } from './tick-log.ts';

export interface RunnerContext extends TickOrigin {
  env: Env;
  db: Database;
  /** Unix milliseconds; the one time of the tick. */
  now: number;
  /** A number in [0, 1). */
  random: () => number;
  mode: SystemMode;
  settings: Settings;
  log: Logger;
}

/** D1 statements that every runner together may need in a tick that ends nothing one by one. */
const RESERVED_QUERIES = 34;

/** Whether a runner may begin something more that costs so many statements, and leave the others enough. */
export function hasRoom({ db }: RunnerContext, queries: number): boolean {
  return db.usage.queries + queries + RESERVED_QUERIES <= TIMED_JOBS.tick_queries;
}

/** The result of a runner that has left something to do for want of room: the next tick is due at once. */
export const MORE = 'more';

export interface Runner {
  name: string;
  /** Ordinary runners stand still while the system is paused or nobody leads; the others are reapers. */
  ordinary: boolean;
  /** Answers `ok`, `idle` from a reaper that found nothing, `more`, or in a word of its own what came of it. */
  run(context: RunnerContext): Promise<string>;
}

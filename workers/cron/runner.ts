/** What a timed job is: a name and an async function of the tick. One that throws fails alone. */
import type { SystemMode } from '../../schema/contracts/system.ts';
import type { Database } from '../db.ts';
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

export interface Runner {
  name: string;
  /** Ordinary runners stand still while the system is paused or nobody leads; the others are reapers. */
  ordinary: boolean;
  /** Answers `ok`, `idle` from a reaper that found nothing, or in a word of its own what came of it. */
  run(context: RunnerContext): Promise<string>;
}

/** A tick under way: what it was asked for, and the entries of its log so far. */
import type { TickEntry, TickGrant, TickTrigger } from '../../schema/contracts/ticks.ts';
import type { Database } from '../db/open.ts';
import { openDatabase } from '../db/open.ts';
import type { log } from '../log.ts';
import type { Runner } from './job.ts';
import type { EntryDetails, Logger } from './tick-log.ts';
import { tickEntry } from './tick-log.ts';

/** A tick whose lock has been asked for. */
export interface GrantedTick {
  trigger: TickTrigger;
  /** Unix milliseconds; the one time of the tick. */
  now: number;
  grant: TickGrant;
}

export interface TickDeps {
  runners: readonly Runner[];
  random: () => number;
  log: typeof log;
  /** Milliseconds after which no further job is started. */
  budget_ms: number;
  /** Takes the work that goes beyond the tick. Without it, the end of that work is waited for after the tick. */
  waitUntil: ((work: Promise<unknown>) => void) | null;
}

export interface Tick {
  env: Env;
  db: Database;
  request: GrantedTick;
  deps: TickDeps;
  batch_id: string;
  entries: TickEntry[];
  /** Work of the jobs that goes beyond the tick. */
  deferred: Promise<void>[];
  /** Milliseconds since the tick began. Measured apart from `request.now`, which tests set. */
  elapsedMs(): number;
  logAs(runner: string): Logger;
}

export function openTick(env: Env, request: GrantedTick, deps: TickDeps, batch_id: string): Tick {
  const entries: TickEntry[] = [];
  const origin = { batch_id, trigger: request.trigger };
  const openedAt = Date.now();
  const elapsedMs = () => Date.now() - openedAt;
  const logAs =
    (runner: string): Logger =>
    (stage, result, details: EntryDetails = {}) =>
      void entries.push(tickEntry(origin, runner, stage, result, details, request.now + elapsedMs()));
  return { env, db: openDatabase(env.DB), request, deps, batch_id, entries, deferred: [], elapsedMs, logAs };
}

/** The log of one tick: entries in order, written to Workers Logs and D1, from where the nodes copy them into files. */
import type { TickEntry, TickTrigger } from '../../schema/contracts/ticks.ts';

export interface EntryDetails {
  duration_ms?: number;
  error?: string | null;
  [detail: string]: unknown;
}

export type Logger = (stage: TickEntry['stage'], result: string, details?: EntryDetails) => void;

export interface TickOrigin {
  batch_id: string;
  trigger: TickTrigger;
}

/** One entry; `at` in Unix milliseconds. */
export function tickEntry(
  { batch_id, trigger }: TickOrigin,
  runner: string,
  stage: TickEntry['stage'],
  result: string,
  details: EntryDetails,
  at: number,
): TickEntry {
  const { duration_ms = 0, error = null, ...more } = details;
  return { ts: new Date(at).toISOString(), batch_id, runner, stage, result, duration_ms, error, trigger, ...more };
}

/** Stages that every tick has, whether or not there was anything to do. */
const ROUTINE: readonly TickEntry['stage'][] = ['tick_started', 'runner_started', 'runner_completed', 'scan_window'];
const MAX_ENTRIES = 500;

/** The entries to store: all but those of idle jobs, and of a tick without any work only the results. */
export function keptEntries(entries: readonly TickEntry[]): TickEntry[] {
  const idleRunners = new Set(
    entries
      .filter(({ stage, result }) => stage === 'runner_completed' && result === 'idle')
      .map(({ runner }) => runner),
  );
  const worked = entries.filter(({ runner }) => !idleRunners.has(runner));
  const isIdle = worked.every(
    ({ stage, result }) =>
      ROUTINE.includes(stage) ||
      (stage === 'scan_completed' && result === 'idle') ||
      (stage === 'tick_completed' && result === 'scheduled'),
  );
  const kept = isIdle ? worked.filter(({ stage }) => !ROUTINE.includes(stage)) : worked;
  return kept.slice(0, MAX_ENTRIES);
}

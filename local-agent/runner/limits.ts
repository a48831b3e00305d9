/**
 * `deadline.json` of a run: until when its child may run, and whether the agent wants it to end earlier. The agent replaces
 * it at each acknowledged heartbeat. The runner holds it, with or without an agent: at the deadline less a margin nothing
 * of the run is left, so that the step never runs on two hosts at once.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceSynced } from '../host/synced-file.ts';

/** Both clocks. The wall clock can jump, the monotonic one of Linux stops while the machine sleeps. */
export interface Clocks {
  /** Unix milliseconds. */
  wall: number;
  /** Milliseconds since the machine started, the same in all of its processes. */
  monotonic: number;
}

export const STOP_REQUESTS = ['canceled', 'handed_over', 'system_paused', 'stale_run', 'failed'] as const;
export type StopRequest = (typeof STOP_REQUESTS)[number];

export interface RunLimits {
  deadline: Clocks;
  stop: StopRequest | null;
}

const NS_PER_MS = 1_000_000n;

export function readClocks(): Clocks {
  return { wall: Date.now(), monotonic: Number(process.hrtime.bigint() / NS_PER_MS) };
}

export function limitsPath(runFolder: string): string {
  return join(runFolder, 'deadline.json');
}

export function writeLimits(runFolder: string, limits: RunLimits): void {
  replaceSynced(limitsPath(runFolder), `${JSON.stringify(limits)}\n`);
}

/** @throws when the file cannot be read; it is replaced atomically, so it is never damaged by a crash */
export function readLimits(runFolder: string): RunLimits {
  return JSON.parse(readFileSync(limitsPath(runFolder), 'utf8')) as RunLimits;
}

/** What passed between two readings, by the clock that says more. */
export function elapsedMs(from: Clocks, to: Clocks): number {
  return Math.max(to.wall - from.wall, to.monotonic - from.monotonic);
}

/** `ms` later on both clocks. */
export function later({ wall, monotonic }: Clocks, ms: number): Clocks {
  return { wall: wall + ms, monotonic: monotonic + ms };
}

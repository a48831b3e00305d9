/**
 * Ends an agent whose event loop hangs, under every supervisor: `npm start`, launchd and systemd start it again. The main
 * thread counts up; a thread of its own looks at the count. When it has not changed for too many looks, the thread reports
 * where the main thread hangs and kills the process. It counts looks and reads no clock, so a machine that slept does not
 * end a healthy agent. Only a process that is stopped as a whole needs its supervisor for this (stack/heartbeat.ts).
 */
import { url as debuggerUrl } from 'node:inspector';
import { Worker } from 'node:worker_threads';
import { programFile } from './program-file.ts';

export interface WatchdogLimits {
  lookMs: number;
  /** Looks in a row at an unchanged count after which the main thread counts as hung. */
  looks: number;
  /** Whether to kill the process group that this process leads, with the programs that it has started. */
  killGroup?: boolean;
}

export interface WatchdogData extends WatchdogLimits {
  /** One 32-bit number, which the main thread counts up. */
  count: SharedArrayBuffer;
  /** The report is appended to this file. */
  reportFile: string;
}

const LIMITS: WatchdogLimits = { lookMs: 1_000, looks: 30 };
/** How often the main thread counts up while the thread looks once. */
const COUNTS_PER_LOOK = 2;

/** Starts watching this process; it is not kept alive by that. Under a debugger, which stops the main thread, it does nothing. */
export function startWatchdog(reportFile: string, limits: WatchdogLimits = LIMITS): void {
  if (debuggerUrl() !== undefined) return;
  const count = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const cell = new Int32Array(count);
  setInterval(() => Atomics.add(cell, 0, 1), limits.lookMs / COUNTS_PER_LOOK).unref();
  const workerData: WatchdogData = { ...limits, count, reportFile };
  const thread = new Worker(programFile('host/watchdog-thread'), { workerData, execArgv: [] });
  thread.unref();
}

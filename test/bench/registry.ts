/** Every benchmark there is. */
import { bridge } from './bridge.ts';
import { capture } from './capture.ts';
import { cost } from './cost.ts';
import { day } from './day.ts';
import { delivery } from './delivery.ts';
import { duePick } from './due-pick.ts';
import { extensionMemory } from './extension-memory.ts';
import { extraction } from './extraction.ts';
import { fleet } from './fleet.ts';
import type { Benchmark } from './harness/benchmark.ts';
import { lateness } from './lateness.ts';
import { lease } from './lease.ts';
import { pageLoad } from './page-load.ts';
import { roundTrips } from './round-trips.ts';
import { runFiles } from './run-files.ts';
import { startUp } from './start-up.ts';
import { steps } from './steps.ts';

export const BENCHMARKS: readonly Benchmark[] = [
  lease,
  extraction,
  duePick,
  bridge,
  cost,
  lateness,
  roundTrips,
  fleet,
  capture,
  delivery,
  extensionMemory,
  runFiles,
  startUp,
  day,
  steps,
  pageLoad,
];

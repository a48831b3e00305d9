/** Runs for tests of the runner: a prepared run folder, and real programs. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { RunExit } from '../../local-agent/runner/exit-file.ts';
import { exitPath } from '../../local-agent/runner/exit-file.ts';
import type { Launch } from '../../local-agent/runner/launch.ts';
import type { RunLimits } from '../../local-agent/runner/limits.ts';
import { later, readClocks, writeLimits } from '../../local-agent/runner/limits.ts';
import { findProcessesNow } from '../../local-agent/worker-runner/find-processes.ts';
import { endLeftBehind, queryOf } from '../../local-agent/worker-runner/left-behind.ts';
import { newId } from '../../schema/ids.ts';
import { tempDir } from './temp-dir.ts';
import { until } from './until.ts';

const MINUTE_MS = 60_000;

export function limitsIn(ms: number, stop: RunLimits['stop'] = null): RunLimits {
  return { deadline: later(readClocks(), ms), stop };
}

/** A run folder as preparation leaves it. Everything with the run's mark is ended after the test. */
export function preparedRun(limits: RunLimits = limitsIn(20 * MINUTE_MS)) {
  const runId = newId('run', Date.now());
  const folder = join(tempDir(), runId);
  mkdirSync(folder);
  for (const name of ['stdout.log', 'stderr.log']) writeFileSync(join(folder, name), '');
  writeLimits(folder, limits);
  onTestFinished(async () => void (await endLeftBehind(queryOf(null, runId))));
  const launch = (script: string, overrides: Partial<Launch> = {}): Launch => ({
    run_id: runId,
    argv: ['/bin/sh', '-c', script],
    cwd: folder,
    env: { PATH: '/usr/bin:/bin' },
    stdin: null,
    timeout_ms: MINUTE_MS,
    ...overrides,
  });
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  const exit = () => JSON.parse(readFileSync(exitPath(folder), 'utf8')) as RunExit;
  const marked = () => findProcessesNow(queryOf(null, runId));
  const printed = (text: string) => until(() => read('stdout.log').includes(text));
  return { runId, folder, launch, read, exit, marked, printed };
}

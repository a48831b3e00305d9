/** Reads the clocks and `deadline.json` while the child runs, and signals everything of the run when it has to end. */
import { watch } from 'node:fs';
import { RUNNER } from '../../schema/defaults.ts';
import { signalGroup } from '../lib/kill-group.ts';
import { findProcesses } from '../worker-runner/find-processes.ts';
import { signalEach } from '../worker-runner/left-behind.ts';
import type { RunLimits } from './limits.ts';
import { readClocks, readLimits } from './limits.ts';
import { processesOfRun } from './run-processes.ts';
import type { EndReason, Stopping } from './stop-decision.ts';
import { decideStop } from './stop-decision.ts';

export interface HeldChild {
  runFolder: string;
  limits: RunLimits;
  runId: string;
  /** Leads the session of the child. */
  pid: number;
  timeoutMs: number;
}

/** Also signals the tools of the child, which may lead sessions of their own. */
async function signalRun({ runFolder, pid, runId }: HeldChild, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  signalGroup(pid, signal);
  signalEach(await findProcesses(processesOfRun(runFolder, pid, runId)), signal);
}

/** Why the child was ended so far. */
export interface Hold {
  endedBy: () => EndReason | null;
  release: () => void;
}

export function holdLimits(child: HeldChild): Hold {
  const { runFolder, timeoutMs } = child;
  const startedAt = readClocks();
  let limits = child.limits;
  let stopping: Stopping | null = null;
  let isLooking = false;
  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    try {
      limits = currentLimits(runFolder, limits);
      const decided = decideStop({ startedAt, timeoutMs, stopping }, limits, readClocks());
      stopping = decided.stopping;
      if (decided.signal !== null) await signalRun(child, decided.signal);
    } finally {
      isLooking = false;
    }
  };
  const timer = setInterval(() => void look(), RUNNER.look_ms);
  const unwatch = watchFolder(runFolder, () => void look());
  const release = () => {
    clearInterval(timer);
    unwatch();
  };
  return { endedBy: () => stopping?.reason ?? null, release };
}

/** A file that cannot be read leaves the last limits in force, and with them the last deadline. */
function currentLimits(runFolder: string, last: RunLimits): RunLimits {
  try {
    return readLimits(runFolder);
  } catch {
    return last;
  }
}

/** Without a watch of the system, the clocks are read often enough. */
function watchFolder(path: string, onChange: () => void): () => void {
  try {
    const watcher = watch(path, (_event, name) => {
      if (name === null || name === 'deadline.json') onChange();
    });
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => undefined;
  }
}

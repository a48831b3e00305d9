/**
 * Programs that outlive a killed agent. What is running is described by its process group and by what tells it from a
 * later process of the same number; a restarted agent ends the group only when it certainly is that one.
 */
import { spawnSync } from 'node:child_process';
import { z } from 'zod';
import { bootId, groupMembers, startTicks } from '../host/processes.ts';
import { signalGroup } from '../lib/kill-group.ts';

export const RunningProcessSchema = z.object({
  pid: z.number().int().positive(),
  /** When this process began, in the system's own words; null when the system did not say. */
  began: z.string().nullable(),
});
export type RunningProcess = z.infer<typeof RunningProcessSchema>;

const LINUX = process.platform === 'linux';

function beganAt(pid: number): string | null {
  if (LINUX) {
    const ticks = startTicks(pid);
    return ticks === null ? null : `${bootId()} ${ticks}`;
  }
  const { stdout } = spawnSync('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() || null;
}

/** The process of that number as it runs now. */
export function describeProcess(pid: number): RunningProcess {
  return { pid, began: beganAt(pid) };
}

/** The leader has ended, and what is left of its session began after it in the same boot. */
function isOrphanedGroup({ pid, began }: RunningProcess): boolean {
  const [boot, ticks] = began?.split(' ') ?? [];
  if (!LINUX || boot !== bootId()) return false;
  const members = groupMembers(pid);
  return members.length > 0 && members.every((one) => one.session === pid && one.startTicks >= Number(ticks));
}

/** Ends what is left of it. True when there was something. */
export function killOrphan(running: RunningProcess): boolean {
  const now = beganAt(running.pid);
  const isLeader = now !== null && now === running.began;
  if (!isLeader && (now !== null || !isOrphanedGroup(running))) return false;
  return signalGroup(running.pid, 'SIGKILL');
}

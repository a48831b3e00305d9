/**
 * Programs that outlive a killed agent. A running program is described by its process group and its start time, which
 * distinguishes it from a later process with the same id. A restarted agent kills a group only when both match.
 */
import { spawnSync } from 'node:child_process';
import { z } from 'zod';
import { bootId, groupMembers, startTicks } from '../host/processes.ts';
import { signalGroup } from '../lib/kill-group.ts';

export const RunningProcessSchema = z.object({
  pid: z.number().int().positive(),
  /** The start time of the process in a form of the system; null when the system gave none. */
  began: z.string().nullable(),
});
export type RunningProcess = z.infer<typeof RunningProcessSchema>;

const LINUX = process.platform === 'linux';

function startOf(pid: number): string | null {
  if (LINUX) {
    const ticks = startTicks(pid);
    return ticks === null ? null : `${bootId()} ${ticks}`;
  }
  const { stdout } = spawnSync('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() || null;
}

/** The process with that id as it runs now. */
export function describeProcess(pid: number): RunningProcess {
  return { pid, began: startOf(pid) };
}

/** Whether the leader has ended, and all members of the group belong to its session and started after it in this boot. */
function isOrphanedGroup({ pid, began }: RunningProcess): boolean {
  const [boot, ticks] = began?.split(' ') ?? [];
  if (!LINUX || boot !== bootId()) return false;
  const members = groupMembers(pid);
  return members.length > 0 && members.every((one) => one.session === pid && one.startTicks >= Number(ticks));
}

/** Kills what remains of the program's group. False when nothing was found. */
export function killOrphan(running: RunningProcess): boolean {
  const now = startOf(running.pid);
  const isLeader = now !== null && now === running.began;
  if (!isLeader && (now !== null || !isOrphanedGroup(running))) return false;
  return signalGroup(running.pid, 'SIGKILL');
}

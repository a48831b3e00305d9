/**
 * Programs that outlive a killed agent. The mark of a program is stored before the program starts, and its process group
 * with its start time, which distinguishes it from a later process with the same id, after that. A restarted agent kills
 * what carries the mark, and the group when id and time match.
 */
import { z } from 'zod';
import { livingProcess } from '../host/process-start.ts';
import { bootId, groupMembers } from '../host/processes.ts';
import { hasErrorCode } from '../lib/errno.ts';
import { signalGroup } from '../lib/kill-group.ts';
import { findProcessesNow } from './find-processes.ts';
import { queryOf } from './left-behind.ts';

export const RunningProcessSchema = z.object({
  /** Null until the program has started. */
  pid: z.number().int().positive().nullable(),
  /** The start time of the process in a form of the system; null when the system gave none. */
  began: z.string().nullable(),
  /** The mark in its environment; rows of an earlier version have none. */
  mark: z.string().nullable().default(null),
});
export type RunningProcess = z.infer<typeof RunningProcessSchema>;

const LINUX = process.platform === 'linux';

/** The process with that id as it runs now. */
export function describeProcess(pid: number, mark: string | null = null): RunningProcess {
  return { pid, began: livingProcess(pid)?.began ?? null, mark };
}

/** A program that is about to start. */
export function startingProcess(mark: string): RunningProcess {
  return { pid: null, began: null, mark };
}

/** Whether the leader has ended, and all members of the group belong to its session and started after it in this boot. */
function isOrphanedGroup(pid: number, began: string | null): boolean {
  const [boot, ticks] = began?.split(' ') ?? [];
  if (!LINUX || boot !== bootId()) return false;
  const members = groupMembers(pid);
  return members.length > 0 && members.every((one) => one.session === pid && one.startTicks >= Number(ticks));
}

/** Kills what remains of the program: its group, and what carries its mark. False when nothing was found. */
export function killOrphan(running: RunningProcess): boolean {
  const isGroupKilled = killGroup(running);
  return killMarked(running) || isGroupKilled;
}

function killMarked({ mark }: RunningProcess): boolean {
  if (mark === null) return false;
  const marked = findProcessesNow(queryOf(null, mark));
  for (const { pid } of marked) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (!hasErrorCode(error, 'ESRCH', 'EPERM')) throw error;
    }
  }
  return marked.length > 0;
}

function killGroup({ pid, began }: RunningProcess): boolean {
  if (pid === null) return false;
  const now = livingProcess(pid);
  const isLeader = now !== null && now.began !== null && now.began === began;
  if (!isLeader && (now !== null || !isOrphanedGroup(pid, began))) return false;
  return signalGroup(pid, 'SIGKILL');
}

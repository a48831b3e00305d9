/** What Linux says of processes; elsewhere nothing is said. */
import { readdirSync, readFileSync } from 'node:fs';

interface ProcessStat {
  group: number;
  session: number;
  /** Since the system was booted. */
  startTicks: number;
}

const DEAD_STATES: ReadonlySet<string | undefined> = new Set(['Z', 'X']);

/** The fields of `/proc/<pid>/stat`; null when there is no such living process. */
function statOf(pid: number | string): ProcessStat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything, so fields are counted from its end; the first is the state.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    if (DEAD_STATES.has(fields[0])) return null;
    return { group: Number(fields[2]), session: Number(fields[3]), startTicks: Number(fields[19]) };
  } catch {
    return null;
  }
}

/** When a living process began, in ticks since the boot; null when there is none. */
export function startTicks(pid: number): number | null {
  return statOf(pid)?.startTicks ?? null;
}

/** The living processes of a group. */
export function groupMembers(groupId: number): ProcessStat[] {
  const members = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (statOf(name) ?? []) : []));
  return members.filter(({ group }) => group === groupId);
}

/** Which boot of the system this is. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

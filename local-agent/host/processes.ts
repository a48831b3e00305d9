/** Processes as Linux lists them in `/proc`. Other systems have none of it. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

interface ProcessStat {
  pid: number;
  parent: number;
  group: number;
  session: number;
  /** When the process started, in ticks since the boot. */
  startTicks: number;
}

const DEAD_STATES: ReadonlySet<string | undefined> = new Set(['Z', 'X']);

/** The fields of `/proc/<pid>/stat`; null when there is no such living process. */
export function statOf(pid: number | string): ProcessStat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may contain anything, so fields are counted from its end. The first is the state.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    if (DEAD_STATES.has(fields[0])) return null;
    return {
      pid: Number(pid),
      parent: Number(fields[1]),
      group: Number(fields[2]),
      session: Number(fields[3]),
      startTicks: Number(fields[19]),
    };
  } catch {
    return null;
  }
}

/** When a living process started, in ticks since the boot; null when there is no such process. */
export function startTicks(pid: number): number | null {
  return statOf(pid)?.startTicks ?? null;
}

/** The ids of all processes. */
export function processIds(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

/** The living processes of a group. */
export function groupMembers(groupId: number): ProcessStat[] {
  return processIds()
    .flatMap((pid) => statOf(pid) ?? [])
    .filter(({ group }) => group === groupId);
}

/** An id of the current boot of the system. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

/** A file of a process; empty when it has ended or belongs to another user. */
export function readProc(pid: string, name: 'cmdline' | 'environ'): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
}

/** The files that are a process's standard output and standard error; none when it has ended or belongs to another user. */
export function outputsOf(pid: string): string[] {
  return ['1', '2'].flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return [];
    }
  });
}

/**
 * Which process an id means. The system gives the id of a process that has ended to a later one, so what is stored about a
 * process is its id and its start. A zombie, which its parent has not reaped yet, has ended.
 */
import { spawnSync } from 'node:child_process';
import { hasErrorCode } from '../lib/errno.ts';
import { bootId, startTicks } from './processes.ts';

/** A process as it is stored. */
export interface KnownProcess {
  pid: number;
  /** Its start in a form of the system; null when the system gave none, or an earlier version stored it. */
  began: string | null;
}

/** What a system without `/proc` says about the process with an id. */
export type ReadProcessList = (pid: number) => string | null;

const LINUX = process.platform === 'linux';
/** One time zone and language, so that the same start has the same text. */
const PS_ENV = { LC_ALL: 'C', TZ: 'UTC' };
const PS_TIMEOUT_MS = 2_000;

/** One line with state and start; empty when there is no such process, null when `ps` gives nothing. */
function readProcessList(pid: number): string | null {
  const options = { encoding: 'utf8', env: PS_ENV, timeout: PS_TIMEOUT_MS } as const;
  const { stdout, stderr, error } = spawnSync('/bin/ps', ['-o', 'stat=,lstart=', '-p', String(pid)], options);
  return error === undefined && stderr === '' ? stdout.trim() : null;
}

function isInUse(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasErrorCode(error, 'EPERM');
  }
}

/** The living process with that id, null when there is none. */
export function livingProcess(
  pid: number,
  readList: ReadProcessList | null = LINUX ? null : readProcessList,
): KnownProcess | null {
  if (readList === null) {
    const ticks = startTicks(pid);
    return ticks === null ? null : { pid, began: `${bootId()} ${ticks}` };
  }
  const line = readList(pid);
  if (line === null) return isInUse(pid) ? { pid, began: null } : null;
  const [, state = '', began = ''] = /^(\S*)\s*(.*)$/.exec(line) ?? [];
  return state === '' || state.startsWith('Z') ? null : { pid, began };
}

/** Whether the process still runs: a living process has its id, and began when it did as far as that is known. */
export function stillRuns({ pid, began }: KnownProcess, living: typeof livingProcess = livingProcess): boolean {
  const now = living(pid);
  return now !== null && (began === null || now.began === null || now.began === began);
}

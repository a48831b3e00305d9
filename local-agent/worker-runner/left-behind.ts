/**
 * What a program leaves running when it ends. Each program gets a mark in its environment, which its children inherit, so
 * that they are found in any session and group. A process that removed the mark and left the group is not.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { hasErrorCode } from '../lib/errno.ts';
import type { FoundProcess, ProcessQuery } from './find-processes.ts';
import { findProcesses } from './find-processes.ts';

const MARK_VARIABLE = 'CONDUCTOR_RUN';

/** A value that no other program has. */
export function newMark(): string {
  return randomUUID();
}

/** The mark as a variable of the program's environment. */
export function markVariable(mark: string): Record<string, string> {
  return { [MARK_VARIABLE]: mark };
}

/** The processes of a program: of its group, or with its mark. */
export function queryOf(groupId: number | null, mark: string): ProcessQuery {
  return { groupId, variable: `${MARK_VARIABLE}=${mark}` };
}

/** What is about to end by itself, such as the last part of a pipe, gets this time before it counts as left behind. */
const SETTLE_MS = 100;
/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 400;
const POLL_MS = 20;
/** A program that starts processes faster than they are killed is left after so many rounds. */
const MAX_KILL_ROUNDS = 20;

/** Signals those that are still there and belong to this user. */
export function signalEach(processes: readonly FoundProcess[], signal: 'SIGTERM' | 'SIGKILL'): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (!hasErrorCode(error, 'ESRCH', 'EPERM')) throw error;
    }
  }
}

/** The processes that are left after at most `maxMs`. */
async function waitForEnd(query: ProcessQuery, maxMs: number): Promise<FoundProcess[]> {
  let left = await findProcesses(query);
  for (let waited = 0; left.length > 0 && waited < maxMs; waited += POLL_MS) {
    await delay(POLL_MS);
    left = await findProcesses(query);
  }
  return left;
}

/** Ends every process that the program left running: SIGTERM, then SIGKILL. Returns those that were ended. */
export async function endLeftBehind(query: ProcessQuery): Promise<FoundProcess[]> {
  const ended = new Map<number, FoundProcess>();
  const note = (found: readonly FoundProcess[]) => {
    for (const one of found) if (!ended.has(one.pid)) ended.set(one.pid, one);
    return found;
  };
  signalEach(note(await waitForEnd(query, SETTLE_MS)), 'SIGTERM');
  if (ended.size === 0) return [];
  let left = await waitForEnd(query, GRACE_MS);
  for (let round = 0; left.length > 0 && round < MAX_KILL_ROUNDS; round++) {
    signalEach(note(left), 'SIGKILL');
    left = await waitForEnd(query, POLL_MS);
  }
  return [...ended.values()];
}

/**
 * `exit.json` of a run, by its runner: how the child ended. When it is there, everything of the run has ended, and the logs
 * are complete and on the disk. It can be written on a full disk, because its room is taken before the child starts.
 */
import { join } from 'node:path';
import { fillReserved, reserve } from '../host/synced-file.ts';
import type { EndReason } from './stop-decision.ts';

/** What was found running after the child had ended. */
export interface LeftProcess {
  pid: number;
  command: string;
}

export interface RunExit {
  exit_code: number | null;
  signal: string | null;
  /** Why the runner ended the child; null when it ended by itself. */
  ended_by: EndReason | null;
  /** Why the child could not be started; then it has neither exit code nor signal. */
  error: { code: string; message: string } | null;
  started_at: number;
  finished_at: number;
  left_behind: LeftProcess[];
}

const ROOM_BYTES = 8 * 1024;
const MAX_LEFT = 16;
const MAX_TEXT_CHARS = 200;

export function exitPath(runFolder: string): string {
  return join(runFolder, 'exit.json');
}

/** @throws the system's error on a full disk */
export function reserveExit(runFolder: string): void {
  reserve(exitPath(runFolder), ROOM_BYTES);
}

/** Shortens what is long, so that it fits the room. */
function fitted(exit: RunExit): RunExit {
  const error = exit.error && { ...exit.error, message: exit.error.message.slice(0, MAX_TEXT_CHARS) };
  const left = exit.left_behind.slice(0, MAX_LEFT);
  const left_behind = left.map(({ pid, command }) => ({ pid, command: command.slice(0, MAX_TEXT_CHARS) }));
  return { ...exit, error, left_behind };
}

export function writeExit(runFolder: string, exit: RunExit): void {
  fillReserved(exitPath(runFolder), `${JSON.stringify(fitted(exit))}\n`, ROOM_BYTES);
}

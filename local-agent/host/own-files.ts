/** The agent's own files and folders: for this user only. */
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { hasErrorCode } from '../lib/errno.ts';

const PERMISSION_BITS = 0o777;

export const homeFolder: () => string = homedir;

/** Makes a folder with 0700; one that is there keeps its rights. */
export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** Takes a file from everybody but its owner. */
export function makePrivateFile(path: string): void {
  chmodSync(path, 0o600);
}

/** A file's text, null when there is none. */
export function readOwnFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

/** Permission bits of a path, null when it does not exist. */
export function permissionsOf(path: string): number | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? found.mode & PERMISSION_BITS : null;
}

/** Writes a file for this user only, as a whole; one that is there is refused. */
export function writeNewPrivateFile(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
}

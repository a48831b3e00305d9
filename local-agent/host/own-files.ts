/** The agent's own files and folders, readable and writable by this user only. */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { dirname } from 'node:path';
import { hasErrorCode } from '../lib/errno.ts';
import { ownAccount } from './account.ts';

const PERMISSION_BITS = 0o777;
const NAME_CHARS = 48;

/** Never empty: an empty `HOME` would make paths relative to the working directory. */
export const homeFolder = (): string => homedir() || ownAccount().homedir;

/** The machine's own name in the form that ids take: without its domain, other characters replaced by dashes. */
export function machineName(name: string = hostname()): string {
  const [short = ''] = name.split('.');
  const plain = short
    .replace(/[^a-z0-9_-]+/gi, '-')
    .replace(/^[^a-z0-9]+|-+$/gi, '')
    .slice(0, NAME_CHARS);
  return plain === '' ? 'localhost' : plain;
}

/** One level after the other: Node's `recursive` says ENOENT of a read-only folder, and never ends below `/proc`. */
function makeFolders(path: string): void {
  if (existsSync(path)) return;
  makeFolders(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST')) throw error;
  }
}

/** What the system's error says of the folders above, in plain words. */
function causeOf(error: unknown): string {
  if (hasErrorCode(error, 'EROFS', 'EACCES', 'EPERM')) return ', so the folder above it is read-only';
  if (hasErrorCode(error, 'ENOTDIR')) return ', so a file is where a folder has to be';
  if (hasErrorCode(error, 'ENOENT')) return ', so the folder above it takes no new folders';
  return '';
}

/** Makes a folder with mode 0700; an existing folder keeps its mode. @throws an Error that says what prevents it */
export function makePrivateFolder(path: string): void {
  try {
    makeFolders(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `the folder ${path} cannot be made: ${why}${causeOf(error)}; choose another root (--root, BAA_ROOT)`,
      {
        cause: error,
      },
    );
  }
}

/** Makes a file accessible to its owner only. */
export function makePrivateFile(path: string): void {
  chmodSync(path, 0o600);
}

/** The text of a file; null when it does not exist. */
export function readOwnFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

/** The permission bits of a path; null when it does not exist. */
export function permissionsOf(path: string): number | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? found.mode & PERMISSION_BITS : null;
}

/** Writes a new file with mode 0600. @throws the system's error when it exists */
export function writeNewPrivateFile(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
}

/** Writes a file with mode 0600, in place of an earlier one: a reader sees the one or the other, whole. */
export function replacePrivateFile(path: string, text: string): void {
  makePrivateFolder(dirname(path));
  const written = `${path}.${process.pid}.new`;
  writeFileSync(written, text, { mode: 0o600 });
  renameSync(written, path);
}

/** Removes a file; it may be missing. */
export function removeOwnFile(path: string): void {
  rmSync(path, { force: true });
}

/**
 * The profile of `conductor firefox`. Beside what Firefox keeps there, `conductor-firefox.json` keeps who this browser is:
 * its id, the UUID of the extension, and its token. Folder and file are for this user only. One `conductor firefox` holds
 * the lock of the profile as long as it runs.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ORIGIN_PATTERN } from '../../schema/contracts/bridge-frames.ts';
import { ClientIdSchema } from '../../schema/contracts/common.ts';
import { makePrivateFolder, readOwnFile, replacePrivateFile } from '../host/own-files.ts';
import { livingProcess } from '../host/process-start.ts';
import { takeFileLock } from '../store/file-lock.ts';

const IDENTITY_FILE = 'conductor-firefox.json';
const LOCK_FILE = 'conductor-firefox.lock';
const LSOF_TIMEOUT_MS = 5_000;

const IdentitySchema = z.object({
  client_id: ClientIdSchema,
  /** Of the extension in this profile: its origin is pinned at the agent. */
  uuid: z.uuid(),
  /** The browser's token, null before the first pairing. */
  token: z.object({ token_id: z.string(), secret: z.string() }).nullable(),
  /** The preferences that the last start has set. */
  prefs: z.array(z.string()),
});
export type Identity = z.infer<typeof IdentitySchema>;

/** The profile that a root has without `--profile`. */
export const profileOf = (root: string): string => join(root, 'firefox', 'profile');

export function originOf({ uuid }: Identity): string {
  const origin = `moz-extension://${uuid}`;
  if (ORIGIN_PATTERN.test(origin)) return origin;
  throw new Error(`${uuid} cannot be the UUID of an extension`);
}

function newIdentity(): Identity {
  return { client_id: `firefox-${randomBytes(6).toString('hex')}`, uuid: randomUUID(), token: null, prefs: [] };
}

/** Who the browser of a reserved profile is; a new profile becomes a new browser. @throws Error when its file is damaged */
export function openIdentity(profile: string): Identity {
  const path = join(profile, IDENTITY_FILE);
  const text = readOwnFile(path);
  if (text !== null) return parseIdentity(path, text);
  const identity = newIdentity();
  saveIdentity(profile, identity);
  return identity;
}

function parseIdentity(path: string, text: string): Identity {
  try {
    return IdentitySchema.parse(JSON.parse(text));
  } catch {
    throw new Error(
      `${path} is damaged, so it is unknown which browser this is; remove it together with its folder, or name another folder with --profile`,
    );
  }
}

export function saveIdentity(profile: string, identity: Identity): void {
  replacePrivateFile(join(profile, IDENTITY_FILE), `${JSON.stringify(identity, null, 2)}\n`);
}

/** Settings of a profile that is not ours would be overwritten. @throws Error for a folder that is one */
function refuseForeign(profile: string): void {
  const names = readdirSync(profile).filter((name) => !name.startsWith(LOCK_FILE));
  if (names.length === 0 || names.includes(IDENTITY_FILE)) return;
  throw new Error(
    `${profile} is not empty and not a profile of conductor firefox, which would overwrite its settings; name an empty or new folder with --profile`,
  );
}

/**
 * Reserves the profile for this process, and makes its folder; returns what releases it.
 *
 * @throws Error when it is the profile of something else, or another `conductor firefox` or a Firefox uses it
 */
export function reserveProfile(profile: string): () => void {
  makePrivateFolder(profile);
  refuseForeign(profile);
  const lock = takeFileLock(join(profile, LOCK_FILE), 0);
  const pid = firefoxIn(profile);
  const firefox = pid === null ? '' : ` (Firefox has the process id ${pid})`;
  if (lock === null) {
    throw new Error(
      `another conductor firefox runs on the profile ${profile}${firefox}; end that one, or name another profile with --profile`,
    );
  }
  if (pid === null) return () => lock.close();
  lock.close();
  throw new Error(
    `a Firefox already uses the profile ${profile}, with the process id ${pid}; close it (kill ${pid}), or name another profile with --profile`,
  );
}

/** The process id of the Firefox that has the profile open; null when there is none. */
function firefoxIn(profile: string): number | null {
  if (process.platform === 'darwin') return lockHolder(profile);
  const pid = lockedBy(profile);
  if (pid === null || livingProcess(pid) === null) return null;
  // After a kill or a crash the link stays, and its id may be that of another program by now.
  const line = readOwnFile(`/proc/${pid}/cmdline`);
  return line === null || /firefox/i.test(line) || line.includes(profile) ? pid : null;
}

/** On Linux a link names host and process: `127.0.1.1:+1234`. */
function lockedBy(profile: string): number | null {
  try {
    const pid = /:\+?(\d+)$/.exec(readlinkSync(join(profile, 'lock')))?.[1];
    return pid === undefined ? null : Number(pid);
  } catch {
    return null;
  }
}

/** On macOS only the lock of a file says so. */
function lockHolder(profile: string): number | null {
  const file = join(profile, '.parentlock');
  const { stdout } = spawnSync('/usr/sbin/lsof', ['-t', '--', file], { encoding: 'utf8', timeout: LSOF_TIMEOUT_MS });
  const pid = Number.parseInt(stdout ?? '', 10);
  return Number.isNaN(pid) ? null : pid;
}

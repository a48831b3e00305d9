/**
 * `runner.json` of a run: which processes run it. Exactly one side makes it. A runner makes it before it starts the child;
 * an agent that finds none after a restart makes one that names no runner, and then a late runner starts nothing. So a
 * run that an agent has given up cannot begin.
 */
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KnownProcess } from '../host/process-start.ts';
import { replaceSynced } from '../host/synced-file.ts';
import { hasErrorCode, isMissing } from '../lib/errno.ts';

export interface RunnerIdentity {
  /** Null when the run was given up before a runner had begun. */
  runner: KnownProcess | null;
  /** Leader of the session of the child; null until it has started. */
  child: KnownProcess | null;
}

function identityPath(runFolder: string): string {
  return join(runFolder, 'runner.json');
}

/** Makes the file. False when the other side was first. */
export function claimRun(runFolder: string, identity: RunnerIdentity): boolean {
  const path = identityPath(runFolder);
  const written = `${path}.${process.pid}`;
  writeFileSync(written, JSON.stringify(identity), { mode: 0o600, flush: true });
  try {
    linkSync(written, path);
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    rmSync(written, { force: true });
  }
}

export function noteChild(runFolder: string, identity: RunnerIdentity): void {
  replaceSynced(identityPath(runFolder), JSON.stringify(identity));
}

/** The processes of a run; null when neither side has made the file. */
export function readIdentity(runFolder: string): RunnerIdentity | null {
  try {
    return JSON.parse(readFileSync(identityPath(runFolder), 'utf8')) as RunnerIdentity;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

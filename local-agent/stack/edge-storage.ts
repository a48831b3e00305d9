/**
 * Where D1 and the Durable Objects of the local edge lie: `v3/` in the edge's state folder, as wrangler has it. Earlier
 * versions kept them without `v3/`, and without `--root` in the program's folder; both are moved at the start.
 */
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BOOTSTRAP_FILE } from '../config/root-files.ts';
import { makePrivateFolder } from '../host/own-files.ts';
import { hasErrorCode } from '../lib/errno.ts';
import type { Layout } from './layout.ts';

/** The folders of one kind of storage each, as the local runtime names them. */
const KINDS = ['d1', 'do', 'cache', 'kv', 'r2', 'ratelimit', 'workflows'];

export function storageOf(edgeState: string): string {
  return join(edgeState, 'v3');
}

/**
 * Moves the storage of an earlier version below `v3/`. The caller holds the lock of the state. All folders move
 * to a temporary one first, so that a start after a crash finds either of both or finishes the move.
 */
export function moveIntoStorage(edgeState: string): string {
  const storage = storageOf(edgeState);
  const old = readdirSync(edgeState).filter((name) => KINDS.includes(name));
  const moving = `${storage}.moving`;
  if (old.length === 0 && !existsSync(moving)) return storage;
  if (existsSync(storage)) {
    throw new Error(
      `${edgeState} holds the storage of an earlier version (${old.join(', ')}) beside a newer one (v3): the system cannot know which of both counts; remove or move one of them`,
    );
  }
  makePrivateFolder(moving);
  for (const name of old) renameSync(join(edgeState, name), join(moving, name));
  renameSync(moving, storage);
  return storage;
}

export interface OldState {
  /** `.wrangler/state` in the program's folder. */
  folder: string;
  /** Whether the root was chosen by an option, which never used that folder. */
  isExplicit: boolean;
}

/**
 * Moves the edge's state out of the program's folder, where a new clone or `git clean` would lose it. Only a root that
 * was in use takes it: its tokens belong to that state. Returns what it has done or what a person has to do, null when
 * there is nothing.
 *
 * @throws Error when the folder cannot be moved
 */
export function adoptOldState(layout: Layout, { folder, isExplicit }: OldState): string | null {
  if (isExplicit || existsSync(layout.edgeState) || !existsSync(join(folder, BOOTSTRAP_FILE))) return null;
  if (!existsSync(layout.operatorFile)) {
    return `${folder} holds the edge of an earlier version, which ${layout.root} never used; a new one is created`;
  }
  makePrivateFolder(dirname(layout.edgeState));
  try {
    renameSync(folder, layout.edgeState);
  } catch (error) {
    if (!hasErrorCode(error, 'EXDEV')) throw error;
    throw new Error(
      `the state of the edge must move from ${folder} to ${layout.edgeState}, which is another file system; run: mv ${folder} ${layout.edgeState}`,
    );
  }
  return `moved the state of the edge from ${folder} to ${layout.edgeState}`;
}

/** What an uninstall removes of a root: what this program has made, by its name. Everything else stays. */
import { lstatSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { workspaceOf } from '../config/root-files.ts';
import { namesIn } from '../host/names-in.ts';
import { removeTree } from '../host/remove-tree.ts';
import { contains, resolveExisting } from '../host/roots.ts';
import { hasErrorCode } from '../lib/errno.ts';
import { BackupError } from './make-backup.ts';

/** The files and folders of a root that this program makes. */
const OWN = ['config.toml', 'policy.json', 'state', 'edge', 'logs', 'runs', 'worktrees', 'tmp', 'firefox'];
/** By these a folder is known to be a root. */
const MARKS = ['config.toml', 'state'];

export interface Surroundings {
  home: string;
  program: string;
  /** The other roots of this machine. */
  otherRoots: readonly string[];
}

export interface UninstallPlan {
  root: string;
  /** Names in the root. */
  removes: string[];
  keeps: string[];
}

/** @throws BackupError when the folder is no root, or holds what must not be removed */
export function planUninstall(
  given: string,
  purge: boolean,
  { home, program, otherRoots }: Surroundings,
): UninstallPlan {
  const root = resolve(given);
  // A link must not hide what the folder is or holds.
  const real = resolveExisting(root);
  const names = namesIn(root);
  if (!MARKS.some((name) => names.includes(name))) {
    throw new BackupError(
      `${root} is no root of this program: it has neither ${MARKS.join(' nor ')}; name the root with --root`,
    );
  }
  const all = (purge ? names : names.filter((name) => OWN.includes(name))).sort();
  const held = [home, program, ...otherRoots]
    .map(resolveExisting)
    .filter((path) => all.some((name) => contains(join(real, name), path)));
  if (real === dirname(real) || real === resolveExisting(home) || held.length > 0) {
    const what = held.length === 0 ? 'it is a home folder' : `it holds ${held.join(', ')}`;
    throw new BackupError(`${root} is not removed: ${what}. Remove by hand what you no longer need: ${all.join(', ')}`);
  }
  return { root, removes: all, keeps: names.filter((name) => !all.includes(name)).sort() };
}

/** Removes what the plan names, and the root when nothing is left in it. A link is removed, not what it leads to. */
export async function removeOwn({ root, removes }: UninstallPlan): Promise<void> {
  for (const name of removes) {
    const path = join(root, name);
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) await removeTree(path);
    else rmSync(path, { force: true });
  }
  // The folder that a default policy names, while nothing was put into it.
  for (const folder of [workspaceOf(root), root]) removeEmpty(folder);
}

function removeEmpty(folder: string): void {
  if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOTEMPTY', 'EEXIST', 'EBUSY', 'EPERM', 'EACCES')) throw error;
  }
}

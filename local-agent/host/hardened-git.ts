/**
 * Git runs programs that its configuration names: file system monitors, filters, hooks, pagers, diff drivers. A chat that
 * may write files could lay out such a configuration, and then an allowed `git status` would run its program. So programs
 * get settings of Git that come before every file, and Git reads no configuration that the file tools could write:
 * neither a repository whose Git directory they reach, nor a user's configuration inside the roots. A call may give these
 * variables itself; such a call asks a person.
 */
import { statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { configValues } from './git-config-values.ts';
import type { Repository } from './git-repository.ts';
import { configFiles, findRepository, MAX_CONFIG_BYTES, textOf } from './git-repository.ts';
import { canWrite } from './reachable.ts';
import type { Roots } from './roots.ts';
import { enteredDirectories } from './submodules.ts';

/** Settings that come before those of every configuration file. Hooks may lie in the working tree. */
const SETTINGS: readonly (readonly [string, string])[] = [
  ['safe.bareRepository', 'explicit'],
  ['core.fsmonitor', 'false'],
  ['core.hooksPath', '/dev/null'],
  ['protocol.ext.allow', 'never'],
  // Maintenance in the background would outlive its program, and be ended in the middle.
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
];

const VARIABLES = {
  GIT_OPTIONAL_LOCKS: '0',
  GIT_TERMINAL_PROMPT: '0',
  GIT_PAGER: 'cat',
  // An editor fails at once instead of waiting for keys.
  GIT_EDITOR: 'false',
  GIT_SEQUENCE_EDITOR: 'false',
};

/** Git itself refuses a configuration that includes deeper. */
const MAX_INCLUDE_DEPTH = 10;

export interface HardenedGit {
  env: Record<string, string>;
  notes: string[];
}

function settingVariables(): Record<string, string> {
  const env: Record<string, string> = { GIT_CONFIG_COUNT: String(SETTINGS.length) };
  for (const [n, [key, value]] of SETTINGS.entries()) {
    env[`GIT_CONFIG_KEY_${n}`] = key;
    env[`GIT_CONFIG_VALUE_${n}`] = value;
  }
  return env;
}

function isTooLarge(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_CONFIG_BYTES;
}

/** Files that a configuration includes, under any condition. Any `path` counts, in any section. */
function includedPaths(file: string, home: string): string[] {
  return configValues(textOf(file), 'path').map((path) => {
    // `~name/` is the home of that user: taken for this one, whose files a chat may reach.
    if (path.startsWith('~')) return join(home, path.replace(/^~[^/]*/, ''));
    // The system follows a link before the `..` behind it.
    return isAbsolute(path) ? path : `${dirname(file)}/${path}`;
  });
}

/** Why one of the configuration files, or of what they include, is not to be trusted; null when all are. */
function distrustOf(files: readonly string[], { roots, home }: { roots: Roots; home: string }): string | null {
  const depths = new Map<string, number>();
  const visit = (file: string, depth: number): string | null => {
    const seenAt = depths.get(resolve(file)) ?? Number.POSITIVE_INFINITY;
    if (seenAt <= depth || depth > MAX_INCLUDE_DEPTH) return null;
    depths.set(resolve(file), depth);
    if (canWrite(roots, file)) return `a chat could write ${file}, which may name programs to run`;
    if (isTooLarge(file)) return `${file} has more than ${MAX_CONFIG_BYTES} bytes, too many to check what it includes`;
    for (const included of includedPaths(file, home)) {
      const found = visit(included, depth + 1);
      if (found !== null) return found;
    }
    return null;
  };
  for (const file of files) {
    const found = visit(file, 0);
    if (found !== null) return found;
  }
  return null;
}

/** Why Git must not work in a repository; null when no chat could have written its configuration. */
function refusalOf(repository: Repository, reach: { roots: Roots; home: string }): string | null {
  const entered = enteredDirectories(repository);
  return 'unknown' in entered ? entered.unknown : distrustOf(entered.directories.flatMap(configFiles), reach);
}

/** Variables for a program that runs in `folder`, and what it should know when Git refuses to work there. */
export function hardenedGit({ folder, roots, home }: { folder: string; roots: Roots; home: string }): HardenedGit {
  const env: Record<string, string> = { ...settingVariables(), ...VARIABLES };
  const notes: string[] = [];
  const reach = { roots, home };
  const own = distrustOf([join(home, '.gitconfig'), join(home, '.config', 'git', 'config')], reach);
  if (own !== null) {
    env.GIT_CONFIG_GLOBAL = '/dev/null';
    notes.push(`Git did not read the user's configuration: ${own}`);
  }
  const repository = findRepository(folder);
  const refusal = repository === null ? null : refusalOf(repository, reach);
  if (refusal !== null) {
    // Git refuses a directory that is none, and looks for no other.
    env.GIT_DIR = `/dev/null/refused: ${refusal}`;
    notes.push(`Git refuses this repository: ${refusal}`);
  }
  return { env, notes };
}

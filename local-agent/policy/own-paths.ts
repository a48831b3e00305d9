/**
 * Files and folders that no tool touches, even inside a root of the policy: the program, and the policy, configuration,
 * state, logs and run files of every root of this machine.
 */
import { join } from 'node:path';
import { knownRoots } from '../config/known-roots.ts';
import { configPathOf, defaultRoot, edgeStateOf, policyPathOf } from '../config/root-files.ts';
import type { Config } from '../config/settings.ts';
import { PROGRAM_FOLDER } from '../host/program-file.ts';

function pathsOf(root: string): string[] {
  const folders = ['state', 'logs', 'runs', 'firefox'].map((name) => join(root, name));
  return [policyPathOf({ root }), configPathOf(root), ...folders, edgeStateOf(root)];
}

type OwnFolders = Pick<Config, 'root' | 'stateDir' | 'logsDir' | 'runsDir'>;

export function ownPaths({ root, stateDir, logsDir, runsDir }: OwnFolders): string[] {
  const roots = new Set([root, defaultRoot(), ...knownRoots()]);
  return [PROGRAM_FOLDER, stateDir, logsDir, runsDir, ...[...roots].flatMap(pathsOf)];
}

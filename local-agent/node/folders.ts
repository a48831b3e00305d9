/** The folders of the runtime root, for this user only. */
import type { Config } from '../config/settings.ts';
import { makePrivateFolder } from '../host/own-files.ts';

/** Makes what is missing, with 0700; what is there keeps its rights, and is warned of when they are wide. */
export function makeRoot(config: Config): void {
  const { root, stateDir, logsDir, runsDir, worktreesDir, tmpDir } = config;
  for (const path of [root, stateDir, logsDir, runsDir, worktreesDir, tmpDir]) makePrivateFolder(path);
}

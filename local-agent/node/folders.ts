/** The folders of the runtime root, for this user only. */
import type { Config } from '../config/settings.ts';
import { makePrivateFolder } from '../host/own-files.ts';

/** Creates missing folders with 0700. Existing ones keep their permissions; config/warnings.ts warns of wide ones. */
export function makeRoot(config: Config): void {
  const { root, stateDir, logsDir, runsDir, worktreesDir, tmpDir } = config;
  for (const path of [root, stateDir, logsDir, runsDir, worktreesDir, tmpDir]) makePrivateFolder(path);
}

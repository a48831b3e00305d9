/** The folders of the runtime root, for this user only: the agent's own, and the workspace of a policy without roots. */
import { workspaceOf } from '../config/root-files.ts';
import type { Config } from '../config/settings.ts';
import { makePrivateFolder } from '../host/own-files.ts';

/** Creates missing folders with 0700. Existing ones keep their permissions; config/warnings.ts warns of wide ones. */
export function makeRoot(config: Config): void {
  const { root, stateDir, logsDir, runsDir, worktreesDir, tmpDir } = config;
  const folders = [root, stateDir, logsDir, runsDir, worktreesDir, tmpDir, workspaceOf(root)];
  for (const path of folders) makePrivateFolder(path);
}

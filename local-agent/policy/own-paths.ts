/** Files and folders of the agent itself under the runtime root. No tool touches them, even inside a root of the policy. */
import { join } from 'node:path';
import type { Config } from '../config/settings.ts';

/** The state folder of a local edge under the runtime root. */
export const EDGE_STATE_FOLDER = 'edge';

export function policyPathOf({ root }: Pick<Config, 'root'>): string {
  return join(root, 'policy.json');
}

export function ownPaths({ root, stateDir, logsDir }: Pick<Config, 'root' | 'stateDir' | 'logsDir'>): string[] {
  return [policyPathOf({ root }), join(root, 'config.toml'), stateDir, logsDir, join(root, EDGE_STATE_FOLDER)];
}

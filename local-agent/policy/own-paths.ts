/** What belongs to the system itself under the runtime root: no tool touches it, whatever the roots of the policy are. */
import { join } from 'node:path';
import type { Config } from '../config/settings.ts';

/** Where a local edge keeps its state when it lies under the runtime root. */
export const EDGE_STATE_FOLDER = 'edge';

export function policyPathOf({ root }: Pick<Config, 'root'>): string {
  return join(root, 'policy.json');
}

export function ownPaths({ root, stateDir, logsDir }: Pick<Config, 'root' | 'stateDir' | 'logsDir'>): string[] {
  return [policyPathOf({ root }), join(root, 'config.toml'), stateDir, logsDir, join(root, EDGE_STATE_FOLDER)];
}

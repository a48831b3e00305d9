/** Warnings about a configuration that is valid but unwise, for the person who can change it. */
import { join } from 'node:path';
import { PLACEHOLDER_SECRETS } from '../../schema/contracts/tokens.ts';
import type { Config } from './settings.ts';

const OTHERS = 0o007;
const WRITE_BY_OTHERS = 0o022;
const SECOND_MS = 1_000;

/** `modeOf` gives a folder's permission bits, or null when it does not exist. */
export function configWarnings(config: Config, modeOf: (path: string) => number | null): string[] {
  const warnings: string[] = [];
  if (config.sharedToken === null) {
    warnings.push('BAA_SHARED_TOKEN is not set: the edge will refuse this node');
  } else if (PLACEHOLDER_SECRETS.includes(config.sharedToken)) {
    warnings.push(`BAA_SHARED_TOKEN is still ${config.sharedToken}: the edge will refuse this node`);
  }
  if (config.localApi === null) {
    warnings.push('BAA_CONDUCTOR_LOCAL_API is empty: no browser can connect and there is no local status');
  }
  if (config.leaseRenewIntervalMs >= config.leaseTtlSec * SECOND_MS) {
    warnings.push('the lease renew interval is not below the lease TTL: the lease will expire between renewals');
  }
  const folders = new Set([
    config.root,
    config.stateDir,
    config.logsDir,
    config.runsDir,
    config.worktreesDir,
    config.tmpDir,
  ]);
  for (const path of folders) {
    const mode = modeOf(path);
    if (mode !== null && (mode & OTHERS) !== 0) warnings.push(`${path} is open to other users: chmod 700 ${path}`);
  }
  for (const path of [join(config.root, 'policy.json'), join(config.root, 'config.toml')]) {
    const mode = modeOf(path);
    if (mode !== null && (mode & WRITE_BY_OTHERS) !== 0) {
      warnings.push(`${path} can be written by other users, who then decide what chats may do: chmod 600 ${path}`);
    }
  }
  return warnings;
}

/** From the options of `npm start` and the settings of its root to the system that is started. */
import type { EdgeSettingKey } from '../../schema/contracts/edge-settings.ts';
import { EDGE_SETTING_KEYS, EDGE_SETTINGS } from '../../schema/contracts/edge-settings.ts';
import type { Environment, ResolvedConfig } from '../config/resolve.ts';
import { ConfigError, resolveConfig } from '../config/resolve.ts';
import { SETTINGS } from '../config/settings.ts';
import { readOwnFile } from '../host/own-files.ts';
import { layoutOf } from './layout.ts';
import type { StackOptions } from './stack.ts';

export interface StartFlags extends Partial<Record<EdgeSettingKey, string>> {
  port: number;
  agentPort: number;
  root?: string;
  nodeId?: string;
  host?: string;
  agent: boolean;
  json?: true;
}

/**
 * The edge, the tokens and the record are found by the root alone, so another state folder would part them from what the
 * commands read.
 *
 * @throws ConfigError
 */
function requireOwnState({ config, origins }: ResolvedConfig): void {
  const own = layoutOf(config.root).state;
  if (config.stateDir === own) return;
  const source = origins.stateDir === 'environment' ? SETTINGS.stateDir.env : 'state_dir in config.toml';
  throw new ConfigError(
    `${source}: ${config.stateDir}: npm start keeps its state in ${own} and nowhere else; remove that setting, or choose a root that lies where the state shall be (--root)`,
  );
}

/**
 * The settings of this root that the system needs. Its node is the primary one unless a source says otherwise: further
 * hosts join it.
 *
 * @throws ConfigError
 */
export function settingsOf(flags: StartFlags, env: Environment, readFile = readOwnFile): ResolvedConfig {
  const { root, nodeId, host } = flags;
  const ofEdge = Object.fromEntries(EDGE_SETTING_KEYS.map((key) => [key, flags[key]]));
  const sources = { flags: { root, nodeId, host, ...ofEdge }, env, readFile };
  const resolved = resolveConfig(sources);
  requireOwnState(resolved);
  if (resolved.origins.role !== 'default') return resolved;
  return resolveConfig({ ...sources, flags: { ...sources.flags, role: 'primary' } });
}

/** The Worker's variables that a source names; the others stay as wrangler.toml has them. */
function varsOf({ config, origins }: ResolvedConfig): Record<string, string> {
  const named = EDGE_SETTING_KEYS.filter((key) => origins[key] !== 'default');
  return Object.fromEntries(named.map((key) => [EDGE_SETTINGS[key].env, String(config[key])]));
}

export function stackOptions({ port, agentPort, agent }: StartFlags, resolved: ResolvedConfig): StackOptions {
  const { config, origins } = resolved;
  const { root, nodeId, host, role, logsDir } = config;
  const where = { root, logsDir, port, agentPort, host, agent };
  const keepsTokensId = origins.nodeId === 'default';
  return { ...where, nodeId, keepsTokensId, vars: varsOf(resolved), agentEnv: { BAA_CONDUCTOR_ROLE: role } };
}

/**
 * Access of the commands to the edge and to the agent, with the tokens of the root. A token is sent only to an address
 * that an option, the environment, config.toml or the record of a running system names: on a port that is only usual,
 * any program may listen.
 */
import { join } from 'node:path';
import type { Option } from 'commander';
import { connectionOptions } from '../config/flags.ts';
import type { ResolvedConfig } from '../config/resolve.ts';
import { NODE_TOKEN_FILE, OPERATOR_TOKEN_FILE } from '../config/root-files.ts';
import type { Config } from '../config/settings.ts';
import { flagOf } from '../config/settings.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { printedCommand } from '../lib/printed-command.ts';
import type { Args } from './command.ts';
import { configOf, jsonOption } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { NotRunningError, UnknownSystemError, UsageError } from './exit-codes.ts';

/** Options of every command that talks to the edge. */
export const edgeOptions: readonly Option[] = [jsonOption, ...connectionOptions];

/**
 * Refuses an address that no source names.
 *
 * @throws UsageError, NotRunningError when a system was started in this root and has ended
 */
function requireNamed({ config, origins, system }: ResolvedConfig, key: 'controlApiBase' | 'localApi'): void {
  if (origins[key] !== 'default') return;
  const what = key === 'controlApiBase' ? 'edge' : 'agent';
  const remedy = `start it with "npm start -- --root ${config.root}", or name the address with --${flagOf(key)}`;
  if (system === 'stopped') throw new NotRunningError(`the system of ${config.root} does not run: ${remedy}`);
  if (system === 'running') throw new NotRunningError(`no ${what} runs in the system of ${config.root}: ${remedy}`);
  throw new UnknownSystemError(
    `no ${what} is known for ${config.root}: no system was started there, or it runs with another root (--root): ${remedy}`,
  );
}

export type EdgeConfig = Config & { operatorToken: string };

/** The edge's address and the operator's token. @throws UsageError, NotRunningError when one of them is not known */
export function operatorConfig(args: Args, deps: CommandDeps): EdgeConfig {
  const resolved = configOf(args, deps, connectionOptions);
  requireNamed(resolved, 'controlApiBase');
  const { operatorToken, stateDir } = resolved.config;
  if (operatorToken === null) {
    const path = join(stateDir, OPERATOR_TOKEN_FILE);
    throw new UnknownSystemError(
      `no operator token: set BAA_OPERATOR_TOKEN, or write one to ${path} (mode 600). The root that npm start runs has one in its state folder; for another host make one there: ${printedCommand(deps.env, 'tokens create --role browser_admin --subject NAME')}`,
    );
  }
  return { ...resolved.config, operatorToken };
}

/** The address of this node's agent, and the node's token. @throws UsageError, NotRunningError when one is not known */
export function agentAccess(args: Args, deps: CommandDeps): { localApi: string; sharedToken: string } {
  const resolved = configOf(args, deps, connectionOptions);
  const { localApi, sharedToken, stateDir } = resolved.config;
  if (localApi === null) throw new UsageError('--local-api is empty: this node has no local API');
  requireNamed(resolved, 'localApi');
  if (sharedToken === null) {
    const path = join(stateDir, NODE_TOKEN_FILE);
    throw new UnknownSystemError(
      `no node token, which the local API requires: set BAA_SHARED_TOKEN or write it to ${path}`,
    );
  }
  return { localApi, sharedToken };
}

/** Runs `use` with an HTTP client of the edge, and closes the client. */
export async function withEdge<T>(args: Args, deps: CommandDeps, use: (edge: EdgeClient) => Promise<T>): Promise<T> {
  const config = operatorConfig(args, deps);
  const edge = deps.connect(config.controlApiBase, config.operatorToken);
  try {
    return await use(edge);
  } finally {
    await edge.close();
  }
}

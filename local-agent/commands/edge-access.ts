/** Access of the commands to the edge, with the operator's token. */

import { join } from 'node:path';
import type { Option } from 'commander';
import { connectionOptions } from '../config/flags.ts';
import type { Config } from '../config/settings.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import type { Args } from './command.ts';
import { configOf, jsonOption } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { UsageError } from './exit-codes.ts';

/** Options of every command that talks to the edge. */
export const edgeOptions: readonly Option[] = [jsonOption, ...connectionOptions];

/** The configuration with the operator's token. @throws UsageError when there is no token */
export function operatorConfig(args: Args, deps: CommandDeps): Config & { operatorToken: string } {
  const { config } = configOf(args, deps, connectionOptions);
  const { operatorToken } = config;
  if (operatorToken === null) {
    const path = join(config.stateDir, 'operator.token');
    throw new UsageError(`no operator token: set BAA_OPERATOR_TOKEN or write it to ${path} (npm start makes both)`);
  }
  return { ...config, operatorToken };
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

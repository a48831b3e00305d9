/** How commands reach the edge: as the operator, with the operator's token. */

import { join } from 'node:path';
import type { ArgsDef } from 'citty';
import { connectionArgs } from '../config/flags.ts';
import type { Config } from '../config/settings.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import type { CommandDeps } from './deps.ts';
import type { Args } from './verb.ts';
import { configOf, jsonArg, UsageError } from './verb.ts';

/** Arguments of every command that talks to the edge. */
export const edgeArgs: ArgsDef = { ...connectionArgs, ...jsonArg };

/** The configuration, with its operator's token. @throws UsageError when there is none */
export function operatorConfig(args: Args, deps: CommandDeps): Config & { operatorToken: string } {
  const { config } = configOf(args, deps, connectionArgs);
  const { operatorToken } = config;
  if (operatorToken === null) {
    const path = join(config.stateDir, 'operator.token');
    throw new UsageError(`no operator token: set BAA_OPERATOR_TOKEN or write it to ${path} (npm start makes both)`);
  }
  return { ...config, operatorToken };
}

/** Runs `use` with a client of the edge, and closes it. */
export async function withEdge<T>(args: Args, deps: CommandDeps, use: (edge: EdgeClient) => Promise<T>): Promise<T> {
  const config = operatorConfig(args, deps);
  const edge = deps.connect(config.controlApiBase, config.operatorToken);
  try {
    return await use(edge);
  } finally {
    await edge.close();
  }
}

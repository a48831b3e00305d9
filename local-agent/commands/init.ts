/**
 * `init`: sets up a further host for an existing edge. It asks the edge which node the token belongs to, and writes the
 * token and the configuration of the root. The token comes from the environment or standard input: process lists show
 * arguments.
 */
import { join } from 'node:path';
import { stringify } from 'smol-toml';
import { optionsOf } from '../config/flags.ts';
import { configPathOf } from '../config/root-files.ts';
import type { Config, SettingKey } from '../config/settings.ts';
import { SETTINGS, tomlKey } from '../config/settings.ts';
import { printedCommand } from '../lib/printed-command.ts';
import { makeRoot } from '../node/folders.ts';
import type { CliCommand } from './command.ts';
import { configOf, jsonOption } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import { readNodeId } from './node-token.ts';
import { present } from './output.ts';

/** The settings that the configuration keeps when they are given; the node id comes from the token. */
const KEPT = ['controlApiBase', 'localApi', 'host', 'role', 'priority', 'preferred'] as const satisfies SettingKey[];
const initOptions = optionsOf(['root', ...KEPT]);

/** @throws UsageError when the root has a token or a configuration, which would be lost */
function requireNewRoot(deps: CommandDeps, { root }: Config, tokenFile: string): void {
  const existing = [configPathOf(root), tokenFile].filter((path) => deps.readFile(path) !== null);
  if (existing.length === 0) return;
  throw new UsageError(
    `${root} is set up already (${existing.join(', ')}): move these files away, or name another folder with --root`,
  );
}

async function readToken(deps: CommandDeps): Promise<string> {
  const given =
    deps.env.BAA_SHARED_TOKEN || (await deps.readSecret("Token of this node (as 'nodes add' printed it): "));
  const token = SETTINGS.sharedToken.schema.safeParse(given.trim());
  if (token.success && token.data !== null) return token.data;
  throw new UsageError(
    `no token: set BAA_SHARED_TOKEN or write the token to standard input; "${printedCommand(deps.env, 'nodes add NAME')}" on the first host creates it`,
  );
}

export const init: CliCommand = {
  name: 'init',
  about: 'set up this host as a further node of an existing edge',
  examples: ['init --control-api-base https://conductor.example.workers.dev'],
  options: [jsonOption, ...initOptions],
  run: async (args, deps) => {
    const { config, origins } = configOf(args, deps, initOptions, { starts: true });
    if (origins.controlApiBase === 'default') {
      throw new UsageError(
        "--control-api-base is missing: the edge's address, as 'nodes add' on the first host prints it",
      );
    }
    const tokenFile = join(config.stateDir, 'shared.token');
    requireNewRoot(deps, config, tokenFile);
    const token = await readToken(deps);
    const edge = deps.connect(config.controlApiBase, token);
    const nodeId = await readNodeId(edge, deps).finally(() => edge.close());
    makeRoot(config);
    const kept = KEPT.filter((key) => origins[key] !== 'default');
    const settings = Object.fromEntries(kept.map((key) => [tomlKey(key), config[key] ?? '']));
    deps.writeNewFile(tokenFile, `${token}\n`);
    deps.writeNewFile(configPathOf(config.root), `${stringify({ ...settings, [tomlKey('nodeId')]: nodeId })}\n`);
    const result = { node_id: nodeId, root: config.root, control_api_base: config.controlApiBase };
    present(args, deps, result, () => {
      const start = printedCommand(deps.env, 'start', origins.root === 'flag' ? config.root : undefined);
      deps.print(`node ${nodeId} is set up in ${config.root}; start it with: ${start}`);
    });
    return EXIT.fine;
  },
};

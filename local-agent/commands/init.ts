/**
 * `init`: sets up a host for an existing edge: it writes the token of the node and the configuration of the root. The
 * node's own token, as `nodes add` printed it, says which node this is. With an operator's token, as on the first host of a
 * deployed edge, `init` creates the node's token itself and keeps both. Tokens come from the environment, standard input
 * or a question: process lists show arguments. What is missing is asked for on a terminal, and nowhere else.
 */
import { join } from 'node:path';
import { stringify } from 'smol-toml';
import type { Session } from '../../schema/contracts/tokens.ts';
import { optionsOf } from '../config/flags.ts';
import type { ResolvedConfig } from '../config/resolve.ts';
import { configPathOf, NODE_TOKEN_FILE, OPERATOR_TOKEN_FILE } from '../config/root-files.ts';
import type { Config, SettingKey } from '../config/settings.ts';
import { tomlKey } from '../config/settings.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { printedCommand } from '../lib/printed-command.ts';
import { makeRoot } from '../node/folders.ts';
import type { Args, CliCommand } from './command.ts';
import { configOf, jsonOption } from './command.ts';
import type { CommandDeps } from './deps.ts';
import type { ExitCode } from './exit-codes.ts';
import { EXIT, RefusedError, UsageError } from './exit-codes.ts';
import type { GivenToken } from './init-questions.ts';
import { askEdge, askHost, readGivenToken } from './init-questions.ts';
import { createNodeToken, nodeIdOf, readSession } from './node-token.ts';
import { present } from './output.ts';

/** The settings that the configuration keeps when they are given; the node id is kept in any case. */
const KEPT = ['controlApiBase', 'localApi', 'host', 'role', 'priority', 'preferred'] as const satisfies SettingKey[];
const initOptions = optionsOf(['root', 'nodeId', ...KEPT]);
const resolve = (args: Args, deps: CommandDeps) => configOf(args, deps, initOptions, { starts: true });

/** @throws RefusedError when the root has a token or a configuration, which would be lost */
function requireNewRoot(deps: CommandDeps, { root, stateDir }: Config): void {
  const paths = [configPathOf(root), join(stateDir, NODE_TOKEN_FILE)];
  const existing = paths.filter((path) => deps.readFile(path) !== null);
  if (existing.length === 0) return;
  throw new RefusedError(
    `${root} is set up already (${existing.join(', ')}): move these files away, or name another folder with --root`,
  );
}

/** @throws UsageError when no edge is named and no person can be asked */
async function withEdgeNamed(args: Args, deps: CommandDeps): Promise<{ args: Args; asks: boolean }> {
  if (resolve(args, deps).origins.controlApiBase !== 'default') return { args, asks: false };
  if (deps.prompts !== null) return { args: { ...args, ...(await askEdge(deps.prompts)) }, asks: true };
  throw new UsageError(
    "--control-api-base is missing: the edge's address, as 'nodes add' on the first host prints it. On a terminal init asks for it",
  );
}

interface Host {
  args: Args;
  given: GivenToken;
  session: Session;
  asks: boolean;
}

/** Keeps the operator's token, unless the file has it already. @throws RefusedError when the file has another one */
function keepOperatorToken(deps: CommandDeps, { stateDir }: Config, secret: string): () => void {
  const path = join(stateDir, OPERATOR_TOKEN_FILE);
  const existing = deps.readFile(path)?.trim();
  if (existing === undefined) return () => deps.writeNewFile(path, `${secret}\n`);
  if (existing === secret) return () => undefined;
  throw new RefusedError(`${path} holds another token than the one that was given: move the file away first`);
}

/** The node of an operator's token: a new one, under the id that was given or the name of the machine. */
async function newNode(edge: EdgeClient, { given, args }: Host, deps: CommandDeps) {
  const { config, origins } = resolve(args, deps);
  const node = origins.nodeId === 'default' ? config.host : config.nodeId;
  const keep = keepOperatorToken(deps, config, given.secret);
  makeRoot(config);
  const printed = (command: string) => printedCommand(deps.env, command, config.root);
  const { token } = await createNodeToken(edge, node, { clock: deps.clock, printed });
  keep();
  return { node, token };
}

/** The node that the given token belongs to. @throws UsageError when another id was given */
function ownNode({ given, session, args }: Host, deps: CommandDeps) {
  const node = nodeIdOf(session, deps);
  const { config, origins } = resolve(args, deps);
  if (origins.nodeId !== 'default' && config.nodeId !== node) {
    throw new UsageError(`--node-id: the token belongs to the node ${node}, so this host cannot be ${config.nodeId}`);
  }
  makeRoot(config);
  return { node, token: given.secret };
}

function writeRoot(deps: CommandDeps, { config, origins }: ResolvedConfig, node: string, token: string): void {
  const kept = KEPT.filter((key) => origins[key] !== 'default');
  const settings = Object.fromEntries(kept.map((key) => [tomlKey(key), config[key] ?? '']));
  deps.writeNewFile(join(config.stateDir, NODE_TOKEN_FILE), `${token}\n`);
  deps.writeNewFile(configPathOf(config.root), `${stringify({ ...settings, [tomlKey('nodeId')]: node })}\n`);
}

async function setUp(edge: EdgeClient, host: Host, deps: CommandDeps): Promise<ExitCode> {
  const isOperator = host.given.mayBeOperator && host.session.role === 'ops_admin';
  const asked =
    host.asks && deps.prompts !== null ? await askHost(deps.prompts, resolve(host.args, deps), isOperator) : {};
  const args = { ...host.args, ...asked };
  const complete = { ...host, args };
  const { node, token } = isOperator ? await newNode(edge, complete, deps) : ownNode(complete, deps);
  const resolved = resolve(args, deps);
  writeRoot(deps, resolved, node, token);
  const { root, controlApiBase } = resolved.config;
  const result = { node_id: node, root, control_api_base: controlApiBase };
  present(args, deps, result, () => {
    const start = printedCommand(deps.env, 'start', resolved.origins.root === 'flag' ? root : undefined);
    deps.print(`node ${node} is set up in ${root}; start it with: ${start}`);
  });
  return EXIT.fine;
}

export const init: CliCommand = {
  name: 'init',
  about: 'set up this host as a node of an existing edge; on a terminal it asks for what is missing',
  examples: [
    'init',
    'init --control-api-base https://conductor.example.workers.dev',
    'init --control-api-base https://conductor.example.workers.dev --node-id studio --role primary --preferred',
  ],
  options: [jsonOption, ...initOptions],
  run: async (given, deps) => {
    requireNewRoot(deps, resolve(given, deps).config);
    const { args, asks } = await withEdgeNamed(given, deps);
    const token = await readGivenToken(deps, asks);
    const edge = deps.connect(resolve(args, deps).config.controlApiBase, token.secret);
    try {
      return await setUp(edge, { args, asks, given: token, session: await readSession(edge) }, deps);
    } finally {
      await edge.close();
    }
  },
};

/** `start`: runs this node's agent until SIGINT or SIGTERM. It also runs when no command is named. */
import { join } from 'node:path';
import { Option } from 'commander';
import { startAgent } from '../agent.ts';
import type { Agent } from '../agent-life.ts';
import { agentOptions } from '../config/flags.ts';
import { policyPathOf, workspaceOf } from '../config/root-files.ts';
import type { Config } from '../config/settings.ts';
import { ownProcess, recordAgent } from '../config/system-record.ts';
import { configWarnings } from '../config/warnings.ts';
import { agentDeps } from '../deps.ts';
import { EdgeError } from '../edge/http-client.ts';
import { HUNG_LOG } from '../host/log-files.ts';
import { homeFolder } from '../host/own-files.ts';
import { PROGRAM_FOLDER } from '../host/program-file.ts';
import { startWatchdog } from '../host/watchdog.ts';
import { openLog } from '../log.ts';
import { makeRoot } from '../node/folders.ts';
import { ownPaths } from '../policy/own-paths.ts';
import { PolicyFile } from '../policy/policy-file.ts';
import { rootWarnings } from '../policy/root-warnings.ts';
import type { Args, CliCommand } from './command.ts';
import { configOf, jsonOption } from './command.ts';
import { printWarnings } from './config.ts';
import type { CommandDeps } from './deps.ts';
import type { ExitCode } from './exit-codes.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import { readNodeId } from './node-token.ts';
import { present, printFields } from './output.ts';

/** `warned` were printed before the agent started. */
function printStarted(args: Args, deps: CommandDeps, agent: Agent, warned: readonly string[]): void {
  const snapshot = agent.snapshot();
  present(args, deps, snapshot, () => {
    const { identity, lease, local_api, control_api_base } = snapshot;
    printFields(deps, {
      node: identity.controller_id,
      state: lease.state,
      term: lease.term,
      edge: control_api_base,
      'local API': local_api,
    });
    for (const step of snapshot.checklist) deps.print(`${step.status.padEnd(6)} ${step.key}: ${step.note ?? ''}`);
  });
  const unsaid = snapshot.warnings.filter((warning) => !warned.includes(warning));
  printWarnings(deps, unsaid);
}

/**
 * The configuration of an agent that may start: its edge is named, as the node's token is sent there, and a node id that
 * no source names is the one that the token is bound to.
 */
async function agentConfig(args: Args, deps: CommandDeps): Promise<Config> {
  const { config, origins } = configOf(args, deps, agentOptions, { starts: true });
  if (origins.controlApiBase === 'default') {
    throw new UsageError(
      'no edge is named: set BAA_CONTROL_API_BASE, or control_api_base in config.toml; npm start runs edge and agent on this machine',
    );
  }
  if (origins.nodeId !== 'default' || config.sharedToken === null) return config;
  const edge = deps.connect(config.controlApiBase, config.sharedToken);
  try {
    return { ...config, nodeId: await readNodeId(edge, deps) };
  } catch (error) {
    // A single attempt reports its failure by its snapshot.
    if (args.runOnce === true && error instanceof EdgeError) return config;
    throw error;
  } finally {
    await edge.close();
  }
}

/** What a policy lets tools see that they must not change, for the person who can change the policy. */
function policyWarnings(config: Config): string[] {
  const file = new PolicyFile({ path: policyPathOf(config), onProblem: () => undefined });
  return rootWarnings(file.current()?.roots ?? [workspaceOf(config.root)], {
    home: homeFolder(),
    program: PROGRAM_FOLDER,
    states: ownPaths(config).filter((path) => path !== PROGRAM_FOLDER),
  });
}

/** Writes down what runs in this root; returns what to do after the stop. */
function record({ root, controlApiBase, nodeId }: Config, deps: CommandDeps, agent: Agent): () => void {
  const { local_api } = agent.snapshot();
  return recordAgent(root, {
    edge_url: controlApiBase,
    agent_url: local_api,
    node_id: nodeId,
    ...ownProcess(),
    version: deps.version,
  });
}

async function runAgent(args: Args, deps: CommandDeps): Promise<ExitCode> {
  const config = await agentConfig(args, deps);
  makeRoot(config);
  const warnings = [...configWarnings(config, deps.modeOf), ...policyWarnings(config)];
  printWarnings(deps, warnings);
  const log = await openLog({ dir: config.logsDir, terminal: deps.isTerminal ? deps.warn : null, warn: deps.warn });
  const once = args.runOnce === true;
  try {
    const stopped = once ? null : deps.stopSignal();
    if (!once) startWatchdog(join(config.logsDir, HUNG_LOG));
    const agent = await startAgent(config, agentDeps(log.logger), { warnings, once });
    const forget = once ? () => undefined : record(config, deps, agent);
    printStarted(args, deps, agent, warnings);
    const { state } = agent.snapshot().lease;
    const cause = await stopped;
    if (cause !== null) log.logger.info({ cause }, 'stopping');
    // The edge of a stack ends with it; another program may listen on its port by now.
    await agent.stop({ callsEdge: cause !== 'parent_ended' });
    forget();
    return once && state === 'degraded' ? EXIT.unreachable : EXIT.fine;
  } finally {
    await log.close();
  }
}

export const start: CliCommand = {
  name: 'start',
  about: "run this node's agent",
  examples: ['start', 'start --run-once --json', 'start --control-api-base https://conductor.example.workers.dev'],
  options: [
    jsonOption,
    new Option('--run-once', 'register, ask for the lease once, print the snapshot and exit'),
    ...agentOptions,
  ],
  run: runAgent,
};

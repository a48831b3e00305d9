/** `start`: runs this node's agent until SIGINT or SIGTERM. It also runs when no command is named. */
import { join } from 'node:path';
import { Option } from 'commander';
import { startAgent } from '../agent.ts';
import type { Agent } from '../agent-life.ts';
import { settingOptions } from '../config/flags.ts';
import type { Config } from '../config/settings.ts';
import { configWarnings } from '../config/warnings.ts';
import { agentDeps } from '../deps.ts';
import { startWatchdog } from '../host/watchdog.ts';
import { openLog } from '../log.ts';
import { makeRoot } from '../node/folders.ts';
import type { Args, CliCommand } from './command.ts';
import { configOf, jsonOption } from './command.ts';
import { printWarnings } from './config.ts';
import type { CommandDeps } from './deps.ts';
import type { ExitCode } from './exit-codes.ts';
import { EXIT } from './exit-codes.ts';
import { present, printFields } from './output.ts';

function printStarted(args: Args, deps: CommandDeps, agent: Agent): void {
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
}

async function runAgent(args: Args, deps: CommandDeps, config: Config): Promise<ExitCode> {
  makeRoot(config);
  const warnings = configWarnings(config, deps.modeOf);
  printWarnings(deps, warnings);
  const log = await openLog({ dir: config.logsDir, terminal: deps.isTerminal ? deps.warn : null, warn: deps.warn });
  const once = args.runOnce === true;
  try {
    const stopped = once ? null : deps.stopSignal();
    if (!once) startWatchdog(join(config.logsDir, 'hung.log'));
    const agent = await startAgent(config, agentDeps(log.logger), { warnings, once });
    printStarted(args, deps, agent);
    const { state } = agent.snapshot().lease;
    if (stopped !== null) log.logger.info({ signal: await stopped }, 'stopping');
    await agent.stop();
    return once && state === 'degraded' ? EXIT.unreachable : EXIT.fine;
  } finally {
    await log.close();
  }
}

export const start: CliCommand = {
  name: 'start',
  about: "run this node's agent",
  options: [
    jsonOption,
    new Option('--run-once', 'register, ask for the lease once, print the snapshot and exit'),
    ...settingOptions,
  ],
  run: async (args, deps) => runAgent(args, deps, configOf(args, deps, settingOptions).config),
};

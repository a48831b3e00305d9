/** `start`: runs this node's agent until it is told to stop; what `conductor` does without a verb. */

import { startAgent } from '../agent.ts';
import type { Agent } from '../agent-life.ts';
import { settingArgs } from '../config/flags.ts';
import type { Config } from '../config/settings.ts';
import { configWarnings } from '../config/warnings.ts';
import { agentDeps } from '../deps.ts';
import { openLog } from '../log.ts';
import { makeRoot } from '../node/folders.ts';
import { printWarnings } from './config.ts';
import type { CommandDeps } from './deps.ts';
import { present, printFields } from './output.ts';
import type { Args, ExitCode, Verb } from './verb.ts';
import { configOf, EXIT, jsonArg } from './verb.ts';

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

async function run(args: Args, deps: CommandDeps, config: Config): Promise<ExitCode> {
  makeRoot(config);
  const warnings = configWarnings(config, deps.modeOf);
  printWarnings(deps, warnings);
  const log = await openLog({ dir: config.logsDir, terminal: deps.isTerminal ? deps.warn : null });
  const once = args['run-once'] === true;
  try {
    const stopped = once ? null : deps.stopSignal();
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

export const start: Verb = {
  name: 'start',
  about: "run this node's agent",
  args: {
    ...settingArgs,
    ...jsonArg,
    'run-once': { type: 'boolean', description: 'register, ask for the lease once, print the snapshot, exit' },
  },
  run: async (args, deps) => run(args, deps, configOf(args, deps, settingArgs).config),
};

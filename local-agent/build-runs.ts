/** Builds the part of an agent that runs the steps of tasks. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { NODE_RUNS } from '../schema/defaults.ts';
import { readHostTables } from './config/resolve.ts';
import type { Config } from './config/settings.ts';
import type { EdgeClient } from './edge/http-client.ts';
import type { SystemView } from './edge/system-view.ts';
import { agentVariables } from './executors/agent-variables.ts';
import { permissionsOf, readOwnFile } from './host/own-files.ts';
import type { Clock } from './lib/clock.ts';
import type { HostPolicy } from './policy/host-policy.ts';
import type { Store } from './store/store.ts';
import type { RunsHost } from './tasks/host.ts';
import { NodeRuns } from './tasks/node-runs.ts';
import { RunStore } from './tasks/run-store.ts';

export interface RunsDeps {
  config: Config;
  version: string;
  store: Store;
  edge: Pick<EdgeClient, 'call'>;
  system: SystemView;
  clock: Clock;
  env: Readonly<Record<string, string | undefined>>;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
  rules: Pick<HostPolicy, 'judgeStep' | 'surroundings' | 'redactor'>;
  /** The term of the lease while this node leads; null otherwise. */
  term: () => number | null;
  /** Whether this node may claim ordinary work. */
  mayClaim: () => boolean;
  /** What the response to a claim says of this node: whether a person drains it. */
  onClaimResponse: (isDraining: boolean) => void;
  /** Whether the channel to the edge is open. */
  isOffered: () => boolean;
}

export function buildRuns(deps: RunsDeps): NodeRuns {
  const { config, store, system, clock, rules, env, term, mayClaim, onClaimResponse, isOffered } = deps;
  const host: RunsHost = {
    ...deps,
    ...readHostTables(config.root, readOwnFile),
    nodeId: config.nodeId,
    host: config.host,
    runsDir: config.runsDir,
    worktreesDir: config.worktreesDir,
    runs: new RunStore({ db: store.db, now: () => clock.now() }),
    surroundings: (folder) => rules.surroundings(folder),
    agentVariables: (settings) => agentVariables(settings, { env, readFile: readOwnFile, permissionsOf }),
    judge: (effect, isPersons) => rules.judgeStep(effect, isPersons),
    redact: (text) => rules.redactor()(text),
    isPaused: () => system.seen?.mode === 'paused',
    newSessionId: randomUUID,
    checkpointIntervalMs: NODE_RUNS.checkpoint_interval_ms,
    storeRetryMs: NODE_RUNS.store_retry_ms,
    missingRepoMs: NODE_RUNS.missing_repo_ms,
    budgetMib: config.runsBudgetMib,
  };
  const newKey = () => randomUUID();
  return new NodeRuns({
    host,
    term,
    newKey,
    onClaimResponse,
    isOffered,
    mayClaim: () => mayClaim() && system.seen?.mode !== 'paused',
  });
}

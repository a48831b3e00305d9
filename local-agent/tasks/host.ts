/** What the runs of this node need of it, as interfaces: the edge, the clock, the policy, and the configuration. */
import type { Logger } from 'pino';
import type { AgentSettings } from '../config/agent-settings.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import type { StepView } from '../executors/executor.ts';
import type { Clock } from '../lib/clock.ts';
import type { StepEffect, StepRuling } from '../policy/step-policy.ts';
import type { Store } from '../store/store.ts';
import type { RunStore } from './run-store.ts';

export interface RunsHost {
  nodeId: string;
  host: string;
  version: string;
  runsDir: string;
  worktreesDir: string;
  repos: Readonly<Record<string, string>>;
  agents: Readonly<Record<string, AgentSettings>>;
  store: Store;
  runs: RunStore;
  edge: Pick<EdgeClient, 'call'>;
  clock: Clock;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** The environment of a program that runs in a folder, without anyone's keys. */
  surroundings: (folder: string) => Record<string, string>;
  agentVariables: StepView['agentVariables'];
  judge: (effect: StepEffect, isPersons: boolean) => StepRuling;
  /** Removes secrets from a text that a chat may get. */
  redact: (text: string) => string;
  /** The system is paused: nothing begins. */
  isPaused: () => boolean;
  newSessionId: () => string;
  /** How often a running step is checkpointed, when something has changed. */
  checkpointIntervalMs: number;
  /** How soon the end of a run is stored again, after the store had no space for it. */
  storeRetryMs: number;
  /** How long a repository is missing before steps of it are claimed, and fail. */
  missingRepoMs: number;
  /** MiB that runs and worktrees may take on the disk. */
  budgetMib: number;
}

/** A node that runs steps, without the rest of an agent: for tests, and as a process of its own (runs-agent.ts). */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createEdgeClient } from '../../local-agent/edge/http-client.ts';
import { OutboxSender } from '../../local-agent/edge/outbox-sender.ts';
import { agentVariables } from '../../local-agent/executors/agent-variables.ts';
import { permissionsOf, readOwnFile } from '../../local-agent/host/own-files.ts';
import { systemClock } from '../../local-agent/lib/clock.ts';
import { openStore } from '../../local-agent/store/store.ts';
import type { RunsHost } from '../../local-agent/tasks/host.ts';
import { NodeRuns } from '../../local-agent/tasks/node-runs.ts';
import { RunStore } from '../../local-agent/tasks/run-store.ts';

const GIT_ENV = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
};

export interface RunsNodeOptions {
  edgeUrl: string;
  /** Everything that the node keeps. */
  root: string;
  nodeId?: string;
  repos?: RunsHost['repos'];
  agents?: RunsHost['agents'];
  isPaused?: () => boolean;
  judge?: RunsHost['judge'];
  checkpointIntervalMs?: number;
  storeRetryMs?: number;
  missingRepoMs?: number;
  budgetMib?: number;
  redact?: RunsHost['redact'];
}

export function openRunsNode(options: RunsNodeOptions) {
  const { edgeUrl, root, nodeId = 'mini-main', repos = {}, agents = {} } = options;
  mkdirSync(root, { recursive: true });
  const clock = systemClock;
  const store = openStore(join(root, 'agent.sqlite'), {
    now: () => clock.now(),
    newOutboxId: () => Math.random().toString(36).slice(2),
  });
  const edge = createEdgeClient({ baseUrl: edgeUrl, token: 'token', now: () => clock.now() });
  const runs = new RunStore({ db: store.db, now: () => clock.now() });
  const problems: unknown[] = [];
  const notices: [fields: unknown, text: string][] = [];
  const log = {
    info: (fields: unknown, text: string) => notices.push([fields, text]),
    warn: () => undefined,
    error: (fields: unknown) => problems.push(fields),
  };
  const host: RunsHost = {
    nodeId,
    host: 'mini',
    version: '0.1.0',
    runsDir: join(root, 'runs'),
    worktreesDir: join(root, 'worktrees'),
    repos,
    agents,
    store,
    runs,
    edge,
    clock,
    log: log as unknown as RunsHost['log'],
    surroundings: () => ({ ...GIT_ENV }),
    agentVariables: (settings) => agentVariables(settings, { env: process.env, readFile: readOwnFile, permissionsOf }),
    judge: options.judge ?? (() => ({ allowed: true })),
    redact: options.redact ?? ((text) => text),
    isPaused: options.isPaused ?? (() => false),
    newSessionId: () => crypto.randomUUID(),
    checkpointIntervalMs: options.checkpointIntervalMs ?? 30_000,
    storeRetryMs: options.storeRetryMs ?? 50,
    missingRepoMs: options.missingRepoMs ?? 50,
    budgetMib: options.budgetMib ?? 10_240,
  };
  const nodeRuns = new NodeRuns({
    host,
    term: () => 1,
    mayClaim: () => true,
    onClaimResponse: () => undefined,
    isOffered: () => false,
    newKey: () => crypto.randomUUID().replaceAll('-', ''),
  });
  const sender = new OutboxSender({
    store,
    client: edge,
    handlers: new Map(Object.entries(nodeRuns.responseHandlers)),
    clock,
    random: Math.random,
    maySend: () => true,
    onProblem: () => undefined,
  });
  const start = () => {
    sender.start();
    const recovered = nodeRuns.recover();
    nodeRuns.start();
    return recovered;
  };
  const stop = async () => {
    nodeRuns.stop();
    sender.stop();
    await edge.close();
    if (store.db.isOpen) store.close();
  };
  return { host, nodeRuns, sender, store, runs, problems, notices, start, stop };
}

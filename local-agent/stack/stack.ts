/**
 * A whole system on this machine: the edge with its clock and one agent, both supervised. `npm start`, the demo and the
 * end-to-end tests use it. Stopping it stops the agent first, so that the agent can release its lease, then the edge.
 */
import { once } from 'node:events';
import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { NO_PROCESS, ownProcess, writeSystemRecord } from '../config/system-record.ts';
import { packageVersion } from '../deps.ts';
import { createEdgeClient } from '../edge/http-client.ts';
import { makePrivateFolder } from '../host/own-files.ts';
import { programFile } from '../host/program-file.ts';
import { boundNodeId, ensureToken, readOrCreateSecret } from './credentials.ts';
import type { EdgeMessage } from './edge.ts';
import { openEdgeLog } from './edge-log.ts';
import { endDrainOfStop } from './end-drain.ts';
import { finishRestore } from './finish-restore.ts';
import { freePort } from './free-port.ts';
import { watchHeartbeat } from './heartbeat.ts';
import type { Layout } from './layout.ts';
import { layoutOf, REPOSITORY } from './layout.ts';
import { ensurePage } from './page-build.ts';
import { sayRecovery } from './say-recovery.ts';
import { AGENT_STOP_MS } from './send-heartbeats.ts';
import { SMALL_HEAP, Supervised } from './supervised.ts';

export interface StackOptions {
  root: string;
  /** Folder for the log of the edge, beside that of the agent (default: that of the root). */
  logsDir?: string;
  port: number;
  agentPort: number;
  nodeId: string;
  /** The id of an existing node token counts more than `nodeId`. */
  keepsTokensId?: boolean;
  host: string;
  agent: boolean;
  /** Overrides of the Worker's variables in wrangler.toml. */
  vars?: Record<string, string>;
  /** Further environment of the agent. */
  agentEnv?: NodeJS.ProcessEnv;
}

export interface Stack {
  edgeUrl: string;
  agentUrl: string | null;
  nodeId: string;
  layout: Layout;
  edge: Supervised;
  agent: Supervised | null;
  /** Fires the Cron Trigger now; resolves with the outcome. */
  cron(): Promise<string>;
  stop(): Promise<void>;
}

const EDGE_HEALTH_INTERVAL_MS = 5_000;
const EDGE_HEALTH_FAILURES = 3;
const EDGE_START_FAILURES = 12;
const EDGE_STOP_MS = 5_000;
const AGENT_READY_POLL_MS = 100;

/** Starts the edge, then the agent; `say` receives the progress. @throws Error when one of them does not start */
export async function startStack(options: StackOptions, say: (line: string) => void): Promise<Stack> {
  const layout = layoutOf(options.root, options.logsDir);
  const port = await freePort(options.port, '--port');
  const agentPort = options.agent ? await freePort(options.agentPort, '--agent-port') : 0;
  for (const folder of [layout.root, layout.logs]) makePrivateFolder(folder);
  const bootstrap = readOrCreateSecret(layout.bootstrapFile);
  await ensurePage(say);
  const log = await openEdgeLog(layout.logs, (line) => say(`edge | ${line}`));
  const edge = new Supervised({ ...edgeSpec(options, layout, port, bootstrap), output: log.take }, say);
  edge.on('message', (message) => sayMigrations(message as EdgeMessage, say));
  const edgeReady = (signal: AbortSignal) => once(edge, 'message', { signal });
  sayRecovery(edge, edgeReady, say);
  await startChild(edge, edgeReady);
  const edgeUrl = `http://127.0.0.1:${port}`;
  const stopWatching = watchHealth(edge, edgeUrl, say);
  try {
    const nodeId = await ensureTokens(edgeUrl, bootstrap, options, layout, say);
    const agentUrl = options.agent ? `http://127.0.0.1:${agentPort}` : null;
    const record = { edge_url: edgeUrl, agent_url: agentUrl, node_id: nodeId, version: packageVersion() };
    writeSystemRecord(layout.root, { ...record, ...ownProcess() });
    const agent =
      agentUrl === null ? null : await startAgentChild({ ...options, nodeId }, layout, edgeUrl, agentUrl, say);
    const stopHeartbeat = agent ? watchHeartbeat(agent, say) : () => undefined;
    return {
      edgeUrl,
      agentUrl,
      nodeId,
      layout,
      edge,
      agent,
      cron: () => fireCron(edge),
      stop: async () => {
        stopWatching();
        stopHeartbeat();
        await agent?.stop(AGENT_STOP_MS);
        await edge.stop(EDGE_STOP_MS);
        await log.close();
        writeSystemRecord(layout.root, { ...record, ...NO_PROCESS });
      },
    };
  } catch (error) {
    stopWatching();
    await edge.stop(EDGE_STOP_MS);
    throw error;
  }
}

/** Starts the child and waits until it is ready. @throws Error when it dies first; it is then not restarted */
async function startChild(child: Supervised, ready: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const decided = new AbortController();
  const { signal } = decided;
  const giveUp = (): void => void child.stop(EDGE_STOP_MS);
  const died = once(child, 'died', { signal }).then(
    ([reason]) => `${child.name} did not start (${reason}); its lines above say why`,
  );
  // At once, before the supervisor starts it again.
  child.once('died', giveUp);
  const started = ready(signal).then(() => null);
  for (const promise of [died, started]) promise.catch(() => {});
  child.start();
  const problem = await Promise.race([started, died]);
  decided.abort();
  child.off('died', giveUp);
  if (problem === null) return;
  await child.stop(EDGE_STOP_MS);
  throw new Error(problem);
}

function edgeSpec(options: StackOptions, layout: Layout, port: number, bootstrap: string) {
  return {
    name: 'edge',
    args: [programFile('stack/edge')],
    cwd: REPOSITORY,
    env: {
      ...SMALL_HEAP,
      BAA_STACK_PORT: String(port),
      BAA_STACK_STATE: layout.edgeState,
      BAA_STACK_VARS: JSON.stringify(options.vars ?? {}),
      BAA_BOOTSTRAP_TOKEN: bootstrap,
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
      CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: 'false',
      WRANGLER_SEND_METRICS: 'false',
      WRANGLER_LOG: 'error',
    },
  };
}

function sayMigrations(message: EdgeMessage, say: (line: string) => void): void {
  if (message.type === 'ready' && message.migrations.length > 0) {
    const { length } = message.migrations;
    say(`edge | applied ${length} migration${length === 1 ? '' : 's'}, the last is ${message.migrations.at(-1)}`);
  }
}

/** Makes sure that both tokens are valid; resolves with the node's id. */
async function ensureTokens(
  edgeUrl: string,
  bootstrap: string,
  options: StackOptions,
  layout: Layout,
  say: (line: string) => void,
): Promise<string> {
  const edge = createEdgeClient({ baseUrl: edgeUrl, token: bootstrap, now: Date.now });
  try {
    const operator = await ensureToken(edge, {
      file: layout.operatorFile,
      body: { role: 'ops_admin', subject: `operator@${hostname()}` },
      probe: '/v1/tokens',
    });
    if (operator) say(`created the operator's token: ${layout.operatorFile}`);
    const kept = options.keepsTokensId ? await boundNodeId(edge, layout.nodeTokenFile) : null;
    const nodeId = kept ?? options.nodeId;
    const node = await ensureToken(edge, {
      file: layout.nodeTokenFile,
      body: { role: 'controller', subject: nodeId, controller_id: nodeId },
      probe: `/v1/controllers/${encodeURIComponent(nodeId)}/commands`,
    });
    if (node) say(`created the token of node ${nodeId}: ${layout.nodeTokenFile}`);
    await finishRestore(edge, layout.root, say);
    await endDrainOfStop(edge, layout);
    return nodeId;
  } finally {
    await edge.close();
  }
}

async function startAgentChild(
  options: StackOptions,
  layout: Layout,
  edgeUrl: string,
  url: string,
  say: (line: string) => void,
): Promise<Supervised> {
  const agent = new Supervised(
    {
      name: 'agent',
      args: ['--import', programFile('stack/end-with-parent'), programFile('stack/agent'), 'start'],
      cwd: REPOSITORY,
      env: {
        ...SMALL_HEAP,
        BAA_ROOT: layout.root,
        BAA_NODE_ID: options.nodeId,
        BAA_CONDUCTOR_HOST: options.host,
        BAA_CONTROL_API_BASE: edgeUrl,
        BAA_CONDUCTOR_LOCAL_API: url,
        // The agent uses the tokens of this system, not those that the caller's environment may set.
        BAA_STATE_DIR: layout.state,
        BAA_SHARED_TOKEN: '',
        ...options.agentEnv,
      },
    },
    say,
  );
  const agentReady = (signal: AbortSignal) => waitUntilHealthy(`${url}/healthz`, signal);
  sayRecovery(agent, agentReady, say);
  await startChild(agent, agentReady);
  return agent;
}

async function waitUntilHealthy(url: string, signal: AbortSignal): Promise<void> {
  while (!(await isHealthy(url))) await setTimeout(AGENT_READY_POLL_MS, undefined, { signal });
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(EDGE_HEALTH_INTERVAL_MS) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/**
 * Kills the edge's process group, so that it is restarted, when the edge does not respond to health checks. An edge that
 * is still starting gets more checks, so that a busy machine does not kill it before it is ready.
 */
function watchHealth(edge: Supervised, edgeUrl: string, say: (line: string) => void): () => void {
  let failures = 0;
  let isReady = true;
  edge.on('started', () => {
    failures = 0;
    isReady = false;
  });
  edge.on('message', (message) => {
    if ((message as EdgeMessage).type === 'ready') isReady = true;
  });
  const timer = setInterval(async () => {
    const pid = edge.pid;
    const healthy = await isHealthy(`${edgeUrl}/healthz`);
    if (edge.pid !== pid) return;
    failures = healthy ? 0 : failures + 1;
    if (failures < (isReady ? EDGE_HEALTH_FAILURES : EDGE_START_FAILURES)) return;
    failures = 0;
    say(`edge does not respond on ${edgeUrl}/healthz`);
    edge.kill();
  }, EDGE_HEALTH_INTERVAL_MS);
  return () => clearInterval(timer);
}

function fireCron(edge: Supervised): Promise<string> {
  return new Promise((resolve) => {
    const onMessage = (message: unknown): void => {
      const received = message as EdgeMessage;
      if (received.type !== 'cron_done') return;
      edge.off('message', onMessage);
      resolve(received.outcome);
    };
    edge.on('message', onMessage);
    edge.send({ type: 'cron' });
  });
}

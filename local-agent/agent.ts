/**
 * Builds an agent: the only place that makes its parts and hands them to each other. agent-life.ts starts and stops them.
 * The parts on the side of the browsers are built by functions of their own, which tests and benchmarks use as well.
 */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Boot } from '../schema/contracts/objects.ts';
import type { SystemMode } from '../schema/contracts/system.ts';
import { BRIDGE, DELIVERY } from '../schema/defaults.ts';
import { newId } from '../schema/ids.ts';
import type { AgentOptions } from './agent-life.ts';
import { Agent } from './agent-life.ts';
import { Bridge } from './bridge/bridge.ts';
import type { MessageSink } from './bridge/session.ts';
import { listBrowsers } from './browsers/browser-list.ts';
import { followMoves } from './browsers/browser-moves.ts';
import { BrowserClients } from './browsers/clients.ts';
import { ConnectedBrowsers } from './browsers/connected-browsers.ts';
import { ConversationReader } from './browsers/conversation-reader.ts';
import { Conversations } from './browsers/conversations.ts';
import { NoticeHoursReader } from './browsers/notice-hours.ts';
import { RecentActivity } from './browsers/recent-activity.ts';
import { SeenMessages } from './browsers/seen-messages.ts';
import { Snapshots } from './browsers/snapshot.ts';
import { BrowserTargets } from './browsers/targets.ts';
import { WaitingApprovals } from './browsers/waiting-approvals.ts';
import type { RunsDeps } from './build-runs.ts';
import { buildRuns } from './build-runs.ts';
import { AGENT_DATABASE, policyPathOf, workspaceOf } from './config/root-files.ts';
import { seenHeadsPath } from './config/seen-heads.ts';
import type { Config } from './config/settings.ts';
import { DeliveryManager } from './delivery/manager.ts';
import { replyResponses } from './delivery/replies.ts';
import { commandResultResponses } from './edge/commands.ts';
import type { CallerOptions, EdgeClient } from './edge/http-client.ts';
import { SystemView } from './edge/system-view.ts';
import { EdgeChanges } from './edge-changes.ts';
import { openDayFiles } from './host/day-files.ts';
import { readOwnFile, replacePrivateFile } from './host/own-files.ts';
import { Instructions } from './instructions/instructions.ts';
import type { StartGate } from './instructions/next-step.ts';
import { startGate } from './instructions/next-step.ts';
import type { Clock } from './lib/clock.ts';
import { LogLimit } from './lib/log-limit.ts';
import type { RateLimits } from './lib/rate-limit.ts';
import { RateLimiter } from './lib/rate-limit.ts';
import { localRoutes } from './local-api/routes.ts';
import type { LocalApi } from './local-api/server.ts';
import { startLocalApi } from './local-api/server.ts';
import { admittedBoot } from './node/admission.ts';
import { keepJournalHead } from './node/journal-head.ts';
import { NodeRuntime } from './node/node-runtime.ts';
import { ownPaths } from './policy/own-paths.ts';
import type { Store } from './store/store.ts';
import { openStore } from './store/store.ts';
import { TickLog } from './timed-jobs-log/tick-log.ts';

/** Copies of what tools replaced, in the state folder. */
export const UNDO_FOLDER = 'undo';

const MINUTE_SEC = 60;
const FRAME_LIMITS: RateLimits = { perSec: BRIDGE.max_frames_per_sec, burst: BRIDGE.frames_burst };
const FAILURE_LIMITS: RateLimits = {
  perSec: BRIDGE.auth_failures_per_min / MINUTE_SEC,
  burst: BRIDGE.auth_failures_per_min,
};
const REFUSAL_LOG_LIMITS: RateLimits = {
  perSec: BRIDGE.refusals_logged_per_min / MINUTE_SEC,
  burst: BRIDGE.refusals_logged_burst,
};

export interface AgentDeps {
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  newOutboxId: () => string;
  newBootId: () => string;
  newTemporaryName: () => string;
  /** Version of this software, for a configuration that names none. */
  version: string;
  pid: number;
  /** Tools get a part of it, and its secrets are redacted from their outputs. */
  env: Readonly<Record<string, string | undefined>>;
  log: Logger;
  connect: (baseUrl: string, token: string, caller: CallerOptions) => EdgeClient;
}

export interface BrowserSideDeps {
  store: Store;
  nodeId: string;
  edge: Pick<EdgeClient, 'call'>;
  system: SystemView;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** How many messages and executions a browser's overlay shows. */
  activityLimit: number;
  /** Where the status page is. */
  pageOrigin?: string;
}

/** The parts that know the browsers of this node, and the deliveries to them. */
export type BrowserSide = ReturnType<typeof buildBrowserSide>;

export function buildBrowserSide(deps: BrowserSideDeps) {
  const { store, edge, system, clock, log, activityLimit } = deps;
  const newRequestId = () => newId('request', clock.now());
  const connected = new ConnectedBrowsers();
  const reader = new ConversationReader({ browsers: connected, clock, newRequestId });
  const delivery = new DeliveryManager({ ...deps, browsers: connected, reader, newRequestId });
  const clients = new BrowserClients({ ...deps, pacing: delivery.pacing });
  const conversations = new Conversations(edge, log);
  const activity = new RecentActivity(store.db, activityLimit);
  const approvals = new WaitingApprovals({ edge, clock, log });
  const noticeHours = new NoticeHoursReader({ edge, clock, log, isWatched: () => connected.all().length > 0 });
  const snapshots = new Snapshots({
    ...{ system, clock, conversations, clients, activity, approvals, noticeHours, delivery },
    pageOrigin: deps.pageOrigin,
  });
  const targets = new BrowserTargets(clients, connected);
  const list = () => listBrowsers(store, clients, connected);
  return {
    ...{ connected, reader, delivery, clients, conversations, approvals, noticeHours, snapshots },
    ...{ targets, list, newRequestId },
  };
}

export interface BridgeSideDeps extends BrowserSideDeps {
  messages: MessageSink;
  /** How fast one browser may send; by default as `BRIDGE` says. */
  frameLimits?: RateLimits;
  /** The node's own token: who has it may use the local API. */
  sharedToken: string | null;
  /** The runtime snapshot, for `GET /v1/status`. */
  status: () => unknown;
  env: AgentDeps['env'];
}

/** The bridge, and how to open the local API through which browsers reach it. */
export function buildBridgeSide(side: BrowserSide, deps: BridgeSideDeps) {
  const { store, clock, log, sharedToken, status } = deps;
  const { delivery, newRequestId, list } = side;
  const failures = new RateLimiter(FAILURE_LIMITS, () => clock.monotonic());
  const refusals = new LogLimit(new RateLimiter(REFUSAL_LOG_LIMITS, () => clock.monotonic()));
  const bridge = new Bridge({
    ...deps,
    ...side,
    seen: new SeenMessages(store.db),
    frameLimits: deps.frameLimits ?? FRAME_LIMITS,
    failures,
    refusals,
    newConnectionId: newRequestId,
  });
  const browser = () => ({ clients: list(), policy: { defaults: DELIVERY, targets: delivery.targets() } });
  /** @throws AppError when the address is not on loopback or is taken. */
  const openLocalApi = (address: string): Promise<LocalApi> =>
    startLocalApi({
      address,
      sharedToken,
      log,
      failures,
      refusals,
      newRequestId,
      routes: localRoutes({ pairing: bridge.pairing, status, browser }),
      onUpgrade: bridge.onUpgrade,
    });
  return { bridge, openLocalApi };
}

interface EdgeView {
  startGate: () => StartGate;
  onMode: (mode: SystemMode, modeVersion: number) => void;
}

function buildInstructions(config: Config, deps: AgentDeps & EdgeView, store: Store, side: BrowserSide): Instructions {
  const { root, stateDir, nodeId, instructionTimeoutMs, execInstructionTimeoutMs, deliveryInlineThreshold } = config;
  const { delivery, targets, reader, snapshots } = side;
  const instructions = new Instructions({
    ...deps,
    store,
    nodeId,
    outgoing: delivery,
    targets,
    reader,
    policyPath: policyPathOf(config),
    workspace: workspaceOf(root),
    undoFolder: join(stateDir, UNDO_FOLDER),
    protectedPaths: ownPaths(config),
    programPath: config.programPath,
    timeouts: { timeoutMs: instructionTimeoutMs, execTimeoutMs: execInstructionTimeoutMs },
    replyChars: deliveryInlineThreshold,
    onChange: () => snapshots.activityChanged(),
  });
  delivery.promptEnded.on((end) => instructions.promptEnded(end));
  return instructions;
}

/** A client of the edge that keeps the newest head of this node's journal. */
function connectEdge(config: Config, { connect, log }: AgentDeps, boot: Boot): EdgeClient {
  const { controlApiBase, nodeId, sharedToken, stateDir } = config;
  const onJournalHead = keepJournalHead({
    edge: controlApiBase,
    nodeId,
    path: seenHeadsPath(stateDir, 'agent'),
    readFile: readOwnFile,
    writeFile: replacePrivateFile,
    log,
  });
  return connect(controlApiBase, sharedToken ?? '', { boot, onJournalHead });
}

type TickLogDeps = { config: Config; edge: EdgeClient } & Pick<BrowserSideDeps, 'store' | 'clock' | 'log'>;

function buildTickLog({ config, ...deps }: TickLogDeps, { lease }: NodeRuntime): TickLog {
  const files = openDayFiles(join(config.logsDir, 'timed-jobs'));
  const tickLog = new TickLog({ ...deps, nodeId: config.nodeId, files, isLeader: () => lease.isLeader() });
  lease.changed.on(({ state }) => {
    if (state === 'leader') void tickLog.wake();
  });
  return tickLog;
}

/** What this node is at the edge decides what it claims. The runtime is built after the runs. */
function claimRights(
  runtime: () => NodeRuntime,
  clock: Clock,
): Pick<RunsDeps, 'term' | 'mayClaim' | 'onClaimResponse' | 'isOffered'> {
  return {
    term: () => (runtime().lease.isLeader() ? runtime().lease.view().term : null),
    mayClaim: () => runtime().mayClaim(),
    onClaimResponse: (isDraining) => runtime().noteClaim(isDraining),
    isOffered: () => runtime().channel.isAlive(clock.monotonic()),
  };
}

function buildAgent(config: Config, deps: AgentDeps, options: AgentOptions, store: Store): Agent {
  const { clock, random, log, env } = deps;
  const { nodeId, sharedToken, executionJournalLimit: activityLimit } = config;
  const boot: Boot = { boot_id: deps.newBootId(), previous_boot_id: admittedBoot(store) };
  const client = connectEdge(config, deps, boot);
  const system = new SystemView();
  const pageOrigin = new URL(config.controlApiBase).origin;
  const sideDeps = { store, nodeId, edge: client, system, clock, random, log, activityLimit, pageOrigin };
  const side = buildBrowserSide(sideDeps);
  const instructions = buildInstructions(
    config,
    {
      ...deps,
      startGate: () => startGate(system, runtime.channel.isAlive(clock.monotonic())),
      onMode: (mode, modeVersion) => system.observe(mode, modeVersion),
    },
    store,
    side,
  );
  system.changed.on(() => instructions.modeChanged());
  const status = () => agent.snapshot();
  const { bridge, openLocalApi } = buildBridgeSide(side, {
    ...sideDeps,
    env,
    messages: instructions,
    sharedToken,
    status,
  });

  const version = config.version ?? deps.version;
  const runs = buildRuns({
    ...sideDeps,
    config,
    version,
    env,
    rules: instructions.stepRules,
    ...claimRights(() => runtime, clock),
  });
  const identity = { version, bootId: boot.boot_id, pid: deps.pid, startedAt: clock.now() };
  const responses = {
    ...instructions.responseHandlers,
    ...runs.responseHandlers,
    ...side.clients.responseHandlers,
    ...replyResponses,
    ...commandResultResponses,
  };
  const runtime = new NodeRuntime({
    config,
    ...identity,
    boot,
    store,
    client,
    system,
    responses: new Map(Object.entries(responses)),
    commands: { ...side.delivery.commands, ...instructions.commands, ...runs.commands },
    clock,
    random,
    log,
  });
  followMoves({ ...side, edge: client, nodeId, log }, () => runtime.sender.wake());
  const changes = new EdgeChanges({ ...side, tokens: bridge.tokens, client, instructions, log });
  runtime.noticed.on((notice) => void changes.onNotice(notice));
  runtime.channel.connected.on((isConnected) => {
    side.snapshots.edgeConnected(isConnected);
    if (!isConnected) return;
    void changes.readMissed();
    runs.wake();
  });

  const tickLog = buildTickLog({ config, store, edge: client, clock, log }, runtime);
  system.changed.on(() => runs.wake());
  runtime.lease.changed.on(() => runs.wake());

  const agent = new Agent({
    config,
    options,
    identity,
    clock,
    log,
    store,
    client,
    system,
    browsers: side.list,
    delivery: side.delivery,
    instructions,
    bridge,
    openLocalApi,
    runtime,
    runs,
    tickLog,
  });
  return agent;
}

/**
 * Starts an agent, which runs until it is stopped.
 *
 * @throws StoreLockedError when another agent runs on the same state folder, Error when it cannot serve its browsers.
 */
export async function startAgent(config: Config, deps: AgentDeps, options: AgentOptions): Promise<Agent> {
  const path = join(config.stateDir, AGENT_DATABASE);
  const store = openStore(path, { now: () => deps.clock.now(), newOutboxId: deps.newOutboxId });
  const agent = buildAgent(config, deps, options, store);
  try {
    await agent.start();
    return agent;
  } catch (error) {
    await agent.stop();
    throw error;
  }
}

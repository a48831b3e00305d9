/**
 * One running agent: opens its store, wires the rooms, goes through the start-up checklist, and stops in the order in
 * which nothing is lost: claim no more, give the lease back, end what runs, tell the edge, close.
 */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { InstructionSchema } from '../schema/contracts/instructions.ts';
import type { Bridge } from './bridge/bridge.ts';
import { createBridge } from './bridge/bridge.ts';
import type { Config } from './config/settings.ts';
import { readTargetOf } from './delivery/search.ts';
import { commandResultResponses } from './edge/commands.ts';
import type { EdgeClient } from './edge/http-client.ts';
import type { ResponseHandler } from './edge/response-handlers.ts';
import { SystemView } from './edge/system-view.ts';
import { openDayFiles } from './host/day-files.ts';
import type { Instructions } from './instructions/assemble.ts';
import { createInstructions } from './instructions/assemble.ts';
import type { Clock } from './lib/clock.ts';
import { withinMs } from './lib/timeout.ts';
import { Checklist } from './node/checklist.ts';
import type { ChangedNotice } from './node/node-runtime.ts';
import { NodeRuntime } from './node/node-runtime.ts';
import type { NodeIdentity, RuntimeSnapshot } from './node/snapshot.ts';
import { runtimeSnapshot } from './node/snapshot.ts';
import { describeUnfinished, readUnfinished } from './node/unfinished.ts';
import { ownPaths, policyPathOf } from './policy/own-paths.ts';
import type { Store } from './store/store.ts';
import { openStore } from './store/store.ts';
import { TickLog } from './timed-jobs-log/tick-log.ts';

/** What tools replaced, in the state folder. */
export const UNDO_FOLDER = 'undo';

const RELEASE_MS = 2_000;
const ROOMS_STOP_MS = 3_000;
const FLUSH_MS = 5_000;

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
  /** The environment that tools are given a part of, and whose secrets are redacted. */
  env: Readonly<Record<string, string | undefined>>;
  log: Logger;
  connect: (baseUrl: string, token: string) => EdgeClient;
}

export interface AgentOptions {
  /** Shown in every snapshot. */
  warnings: readonly string[];
  /** Registers and asks for the lease, but starts nothing that lasts. */
  once: boolean;
}

export interface RunningAgent {
  snapshot(): RuntimeSnapshot;
  /** Stops within ten seconds. */
  stop(): Promise<void>;
}

class Agent implements RunningAgent {
  readonly #config: Config;
  readonly #deps: AgentDeps;
  readonly #options: AgentOptions;
  readonly #identity: NodeIdentity;
  readonly #store: Store;
  readonly #client: EdgeClient;
  readonly #system = new SystemView();
  readonly #checklist = new Checklist();
  readonly #bridge: Bridge;
  readonly #instructions: Instructions;
  readonly #runtime: NodeRuntime;
  readonly #tickLog: TickLog;
  #localApi: string | null = null;

  constructor(config: Config, deps: AgentDeps, options: AgentOptions, store: Store) {
    this.#config = config;
    this.#deps = deps;
    this.#options = options;
    this.#store = store;
    this.#identity = {
      version: config.version ?? deps.version,
      bootId: deps.newBootId(),
      pid: deps.pid,
      startedAt: deps.clock.now(),
    };
    this.#client = deps.connect(config.controlApiBase, config.sharedToken ?? '');
    this.#bridge = this.#makeBridge();
    this.#instructions = this.#makeInstructions();
    this.#runtime = this.#makeRuntime();
    this.#tickLog = this.#makeTickLog();
  }

  /** @throws Error when this host cannot serve its browsers, such as a port that is taken. */
  async start(): Promise<void> {
    const { lease } = this.#runtime;
    const { once } = this.#options;
    const not = async () => 'not with --run-once';
    await this.#checklist.run('register-controller', async () => {
      await this.#runtime.register();
      return `registered as ${this.#config.nodeId}`;
    });
    await this.#checklist.run('acquire-lease', async () => {
      const view = await lease.acquireOnce();
      if (view.failures > 0) throw new Error('the edge did not answer');
      return view.state === 'leader' ? `leads with term ${view.term}` : `standby: ${view.holderId ?? 'nobody'} leads`;
    });
    await this.#checklist.run(
      'load-runs',
      () => `left unfinished: ${describeUnfinished(readUnfinished(this.#store.db))}`,
    );
    await this.#checklist.run('reconcile-runs', once ? not : () => this.#reconcile());
    await this.#checklist.run('start-heartbeat-loop', once ? not : () => this.#startLoops());
    if (once) await this.#checklist.run('start-scheduler', not);
    else await this.#startScheduler();
  }

  snapshot(): RuntimeSnapshot {
    const problem = this.#instructions.policyProblem();
    const warnings = [...this.#options.warnings, ...(problem === null ? [] : [`policy.json is broken: ${problem}`])];
    return runtimeSnapshot({
      config: this.#config,
      identity: this.#identity,
      system: this.#system,
      runtime: this.#runtime,
      store: this.#store,
      localApi: this.#localApi,
      browsers: this.#bridge.browsers(),
      checklist: this.#checklist.steps(),
      warnings,
    });
  }

  async stop(): Promise<void> {
    const { clock, log } = this.#deps;
    const rooms = Promise.allSettled([this.#bridge.stop(), this.#instructions.stop(), this.#tickLog.stop()]);
    await Promise.all([this.#runtime.giveUpLease(RELEASE_MS), withinMs(clock, rooms, ROOMS_STOP_MS)]);
    const isEmpty = this.#options.once || (await this.#runtime.flush(FLUSH_MS));
    if (!isEmpty)
      log.warn(
        { pending: this.#store.outbox.pendingCount() },
        'the outbox is not empty; the rest goes at the next start',
      );
    this.#runtime.close();
    await this.#client.close();
    this.#store.close();
  }

  #makeBridge(): Bridge {
    const config = this.#config;
    const { clock, random, log } = this.#deps;
    return createBridge({
      store: this.#store,
      nodeId: config.nodeId,
      edge: this.#client,
      system: this.#system,
      clock,
      random,
      log,
      localApi: config.localApi,
      sharedToken: config.sharedToken,
      journalLimit: config.executionJournalLimit,
      status: () => this.snapshot(),
      onFinalMessage: (frame, ageMs) => this.#instructions.onFinalMessage(frame, ageMs),
    });
  }

  #makeInstructions(): Instructions {
    const { root, stateDir, nodeId, instructionTimeoutMs, execInstructionTimeoutMs, deliveryInlineThreshold } =
      this.#config;
    const { clock, log, env, newTemporaryName } = this.#deps;
    return createInstructions({
      store: this.#store,
      nodeId: nodeId,
      replies: this.#bridge.delivery,
      browsers: {
        target: (wanted) => this.#bridge.target(wanted),
        enqueuePrompt: (prompt) => this.#bridge.delivery.enqueuePrompt(prompt),
        read: (platform, target) => this.#bridge.delivery.reader.read(readTargetOf({ platform, ...target, target })),
      },
      clock,
      log,
      policyPath: policyPathOf(this.#config),
      workspace: join(root, 'workspace'),
      undoFolder: join(stateDir, UNDO_FOLDER),
      protectedPaths: ownPaths(this.#config),
      env,
      timeouts: { timeoutMs: instructionTimeoutMs, execTimeoutMs: execInstructionTimeoutMs },
      inlineChars: deliveryInlineThreshold,
      newTemporaryName,
      onChange: () => this.#bridge.journalChanged(),
    });
  }

  #makeRuntime(): NodeRuntime {
    const { clock, random, log } = this.#deps;
    const { version, bootId, startedAt } = this.#identity;
    const handlers: Record<string, ResponseHandler> = {
      ...this.#instructions.answers,
      ...this.#bridge.answers,
      ...commandResultResponses,
    };
    const runtime = new NodeRuntime({
      config: this.#config,
      version,
      bootId,
      startedAt,
      store: this.#store,
      client: this.#client,
      system: this.#system,
      answers: new Map(Object.entries(handlers)),
      commands: { ...this.#bridge.commands, ...this.#instructions.commands },
      clock,
      random,
      log,
    });
    runtime.noticed.on((notice) => void this.#reread(notice));
    this.#bridge.delivery.promptEnded.on((end) => this.#instructions.promptEnded(end));
    runtime.channel.connected.on((isConnected) => {
      if (!isConnected) return;
      void this.#bridge.resync();
      void this.#reread({ topic: 'instructions', ids: this.#instructions.awaited() });
    });
    return runtime;
  }

  #makeTickLog(): TickLog {
    const { clock, log } = this.#deps;
    const { nodeId, logsDir } = this.#config;
    const { lease } = this.#runtime;
    const tickLog = new TickLog({
      nodeId: nodeId,
      edge: this.#client,
      store: this.#store,
      files: openDayFiles(join(logsDir, 'timed-jobs')),
      clock,
      isLeader: () => lease.isLeader(),
      log,
    });
    lease.changed.on(({ state }) => {
      if (state === 'leader') void tickLog.wake();
    });
    return tickLog;
  }

  /**
   * Works off the stored answers, then settles what had begun. Both in one turn: nothing that the answers set going
   * may have started before what an earlier life had started is marked.
   */
  #reconcile(): string {
    const before = readUnfinished(this.#store.db);
    this.#runtime.sender.start();
    this.#instructions.recover();
    return `taken up: ${describeUnfinished(before)}`;
  }

  #startLoops(): string {
    this.#runtime.startLoops();
    void this.#tickLog.start();
    const { heartbeatIntervalMs, leaseRenewIntervalMs } = this.#config;
    return `ping each ${heartbeatIntervalMs} ms, renewal each ${leaseRenewIntervalMs} ms`;
  }

  async #startScheduler(): Promise<void> {
    await this.#checklist.run('start-scheduler', async () => {
      this.#localApi = (await this.#bridge.start())?.url ?? null;
      return this.#localApi === null
        ? 'takes work, but no browser: the local API is off'
        : `takes work; browsers connect to ${this.#localApi}`;
    });
    const failed = this.#checklist.steps().find(({ key, status }) => key === 'start-scheduler' && status === 'failed');
    if (failed) throw new Error(failed.note ?? 'the local API could not be opened');
  }

  /** Reads again what the edge says has changed. What fails is found again at the next greeting or answer. */
  async #reread({ topic, ids }: Pick<ChangedNotice, 'topic' | 'ids'>): Promise<void> {
    try {
      if (topic === 'conversations') await this.#bridge.conversationsChanged(ids);
      if (topic !== 'instructions' && topic !== 'approvals') return;
      const read = (id: string) =>
        this.#client.call({
          method: 'GET',
          path: `/v1/instructions/${encodeURIComponent(id)}`,
          schema: InstructionSchema,
        });
      this.#instructions.observe(await Promise.all(ids.map(read)));
    } catch (error) {
      this.#deps.log.warn({ error, topic }, 'what has changed at the edge could not be read');
    }
  }
}

/**
 * Starts an agent; it runs until it is stopped.
 *
 * @throws StoreLockedError when another agent runs on the same state folder, Error when it cannot serve its browsers.
 */
export async function startAgent(config: Config, deps: AgentDeps, options: AgentOptions): Promise<RunningAgent> {
  const path = join(config.stateDir, 'agent.sqlite');
  const store = openStore(path, { now: () => deps.clock.now(), newOutboxId: deps.newOutboxId });
  const agent = new Agent(config, deps, options, store);
  try {
    await agent.start();
    return agent;
  } catch (error) {
    await agent.stop();
    throw error;
  }
}

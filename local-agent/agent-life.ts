/**
 * The life of one agent: it goes through the start-up checklist, and stops in the order in which nothing is lost: it
 * claims no more, releases the lease, ends what runs, sends the outbox, and closes.
 */
import type { Logger } from 'pino';
import type { Bridge } from './bridge/bridge.ts';
import type { BrowserView } from './browsers/browser-list.ts';
import type { Config } from './config/settings.ts';
import type { DeliveryManager } from './delivery/manager.ts';
import type { EdgeClient } from './edge/http-client.ts';
import type { SystemView } from './edge/system-view.ts';
import type { Instructions } from './instructions/instructions.ts';
import type { Clock } from './lib/clock.ts';
import { withinMs } from './lib/timeout.ts';
import type { LocalApi } from './local-api/server.ts';
import { Checklist } from './node/checklist.ts';
import type { NodeRuntime } from './node/node-runtime.ts';
import type { NodeIdentity, RuntimeSnapshot } from './node/snapshot.ts';
import { runtimeSnapshot } from './node/snapshot.ts';
import { describeUnfinished, readUnfinished } from './node/unfinished.ts';
import type { Store } from './store/store.ts';
import type { NodeRuns } from './tasks/node-runs.ts';
import type { TickLog } from './timed-jobs-log/tick-log.ts';

const RELEASE_MS = 2_000;
const PARTS_STOP_MS = 3_000;
const FLUSH_MS = 5_000;

export interface AgentOptions {
  /** Shown in every snapshot. */
  warnings: readonly string[];
  /** Registers and requests the lease once, and starts nothing that keeps running. */
  once: boolean;
}

export interface AgentParts {
  config: Config;
  options: AgentOptions;
  identity: NodeIdentity;
  clock: Clock;
  log: Logger;
  store: Store;
  client: EdgeClient;
  system: SystemView;
  browsers: () => BrowserView[];
  delivery: DeliveryManager;
  instructions: Instructions;
  bridge: Bridge;
  openLocalApi: (address: string) => Promise<LocalApi>;
  runtime: NodeRuntime;
  runs: NodeRuns;
  tickLog: TickLog;
}

export class Agent {
  readonly #parts: AgentParts;
  readonly #checklist = new Checklist();
  #localApi: LocalApi | null = null;

  constructor(parts: AgentParts) {
    this.#parts = parts;
  }

  /** @throws Error when this node cannot serve its browsers, for example because the port is taken. */
  async start(): Promise<void> {
    const { config, options, runtime, store } = this.#parts;
    const { once } = options;
    const skip = async () => 'not with --run-once';
    await this.#checklist.run('register-controller', async () => {
      await runtime.register();
      return `registered as ${config.nodeId}`;
    });
    await this.#checklist.run('acquire-lease', async () => {
      const { failures, state, term, holderId, draining } = await runtime.lease.acquireOnce();
      if (failures > 0) throw runtime.lease.lastError;
      if (draining) return 'standby: a person drains this node, so it requests no lease';
      return state === 'leader' ? `leads with term ${term}` : `standby: ${holderId ?? 'no node'} leads`;
    });
    await this.#checklist.run('load-runs', () => `left unfinished: ${describeUnfinished(readUnfinished(store.db))}`);
    await this.#checklist.run('reconcile-runs', once ? skip : () => this.#reconcile());
    await this.#checklist.run('start-heartbeat-loop', once ? skip : () => this.#startLoops());
    if (once) await this.#checklist.run('start-scheduler', skip);
    else await this.#startScheduler();
  }

  snapshot(): RuntimeSnapshot {
    const { config, options, identity, system, runtime, store, browsers, instructions } = this.#parts;
    const problem = instructions.policyProblem();
    return runtimeSnapshot({
      config,
      identity,
      system,
      runtime,
      store,
      localApi: this.#localApi?.url ?? null,
      browsers: browsers(),
      checklist: this.#checklist.steps(),
      programPath: instructions.programPath(),
      warnings: [...options.warnings, ...runtime.warnings(), ...(problem === null ? [] : [problem])],
    });
  }

  /** Stops within ten seconds. With `callsEdge` false the edge gets no further request, also none that has begun. */
  async stop({ callsEdge } = { callsEdge: true }): Promise<void> {
    const { clock, log, options, runtime, runs, store, client, instructions, tickLog } = this.#parts;
    if (!callsEdge) {
      runtime.close();
      await client.close();
    }
    runs.stop();
    const parts = Promise.allSettled([this.#stopBrowsers(), instructions.stop(), tickLog.stop()]);
    await Promise.all([runtime.releaseLease(RELEASE_MS), withinMs(clock, parts, PARTS_STOP_MS)]);
    const isFlushed = options.once || (callsEdge && (await runtime.sender.flush(FLUSH_MS)));
    if (!isFlushed) {
      log.warn({ pending: store.outbox.pendingCount() }, 'the outbox is not empty; the rest is sent at the next start');
    }
    runtime.close();
    await client.close();
    store.close();
  }

  async #stopBrowsers(): Promise<void> {
    const { bridge, delivery } = this.#parts;
    delivery.stop();
    bridge.stop();
    await this.#localApi?.close();
  }

  /**
   * Handles the stored responses, then ends what an earlier process had begun. Both happen in one event-loop turn, so
   * nothing that the responses start can run before the work of the earlier process is marked.
   */
  #reconcile(): string {
    const { store, runtime, instructions, runs } = this.#parts;
    const before = readUnfinished(store.db);
    runtime.sender.start();
    instructions.recover();
    runs.recover();
    return `continued: ${describeUnfinished(before)}`;
  }

  #startLoops(): string {
    const { config, runtime, tickLog } = this.#parts;
    runtime.startLoops();
    void tickLog.start();
    return `ping every ${config.heartbeatIntervalMs} ms, renewal every ${config.leaseRenewIntervalMs} ms`;
  }

  async #startScheduler(): Promise<void> {
    const { config, delivery, openLocalApi, runtime, runs } = this.#parts;
    await this.#checklist.run('start-scheduler', async () => {
      if (config.localApi !== null) this.#localApi = await openLocalApi(config.localApi);
      delivery.start();
      runs.start();
      const work = runtime.takesWork();
      if (this.#localApi === null) return `${work}, and no browser: the local API is off`;
      return `${work}; browsers connect to ${this.#localApi.url}`;
    });
    const failed = this.#checklist.steps().find(({ key, status }) => key === 'start-scheduler' && status === 'failed');
    if (failed) throw new Error(failed.note ?? 'the local API could not be opened');
  }
}

/**
 * This node towards the edge: identity, lease, channel, outbox, commands. It takes notice of mode and lease from
 * whatever tells them (greeting, push, pong, poll) and lets ordinary claims leave only while it has contact, so that
 * a node which was away during a pause learns of it before it does anything.
 */
import type { Logger } from 'pino';
import type { EdgeFrame } from '../../schema/contracts/channel-frames.ts';
import type { Command } from '../../schema/contracts/commands.ts';
import { LeaderAcquireResponseSchema, LeaderReleaseResponseSchema } from '../../schema/contracts/leader.ts';
import { HTTP } from '../../schema/defaults.ts';
import type { Config } from '../config/settings.ts';
import type { HelloAck, HelloFrame, PushedFrame } from '../edge/channel.ts';
import { Channel } from '../edge/channel.ts';
import { CommandPoll, readCoordination } from '../edge/command-poll.ts';
import type { CommandHandlers } from '../edge/commands.ts';
import { takeCommand } from '../edge/commands.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { OutboxSender } from '../edge/outbox-sender.ts';
import type { ResponseHandlers } from '../edge/response-handlers.ts';
import type { SystemView } from '../edge/system-view.ts';
import type { Clock } from '../lib/clock.ts';
import { Emitter } from '../lib/emitter.ts';
import { withinMs } from '../lib/timeout.ts';
import type { Store } from '../store/store.ts';
import { LeaseLoop } from './lease-loop.ts';
import { Registration } from './registration.ts';
import { Retention } from './retention.ts';

const SECOND_MS = 1_000;
/** Rows that ask the edge to claim ordinary work. */
const CLAIMING_KINDS: ReadonlySet<string> = new Set(['ingest', 'claim']);

export type ChangedNotice = Extract<EdgeFrame, { type: 'changed' }>;

export interface NodeRuntimeDeps {
  config: Config;
  version: string;
  bootId: string;
  startedAt: number;
  store: Store;
  client: EdgeClient;
  system: SystemView;
  answers: ResponseHandlers;
  commands: CommandHandlers;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Logger;
}

export class NodeRuntime {
  /** Something the edge keeps has changed and is to be read again. */
  readonly noticed = new Emitter<ChangedNotice>();
  readonly lease: LeaseLoop;
  readonly channel: Channel;
  readonly sender: OutboxSender;
  readonly #deps: NodeRuntimeDeps;
  readonly #registration: Registration;
  readonly #poll: CommandPoll;
  readonly #retention: Retention;
  /** Monotonic, of the last pong or the last answered poll. */
  #contactAt: number | null = null;
  #rereading = false;

  constructor(deps: NodeRuntimeDeps) {
    this.#deps = deps;
    const { config, client, clock, random, log } = deps;
    const identity = { controller_id: config.nodeId, host: config.host, role: config.role, priority: config.priority };
    this.#registration = new Registration({
      client,
      identity: { ...identity, version: deps.version, started_at: deps.startedAt },
      outboxDepth: () => deps.store.outbox.pendingCount(),
      onFailure: (error) => log.warn({ error }, 'the edge could not be told the status of this node'),
    });
    this.lease = this.#makeLease();
    this.channel = this.#makeChannel();
    this.#retention = new Retention(deps.store, clock);
    this.#poll = new CommandPoll({
      client,
      nodeId: config.nodeId,
      clock,
      random,
      onCoordination: ({ system, lease }) => {
        this.#contact();
        deps.system.observe(system.mode, system.version);
        this.lease.told(lease, false);
      },
      onCommand: (command) => this.#take(command),
    });
    this.sender = new OutboxSender({
      store: deps.store,
      client,
      handlers: deps.answers,
      clock,
      random,
      maySend: (kind) => !CLAIMING_KINDS.has(kind) || this.mayClaim(),
      onProblem: (message, fields) => log.warn(fields, message),
    });
    this.lease.changed.on(({ state, term }) => {
      log.info({ state, term }, `this node is ${state}`);
      this.#registration.report(state);
      this.sender.wake();
    });
    this.channel.connected.on((isConnected) => this.#channelTurned(isConnected));
  }

  /** Milliseconds since the edge was last heard; null when it never was. */
  contactAgeMs(): number | null {
    return this.#contactAt === null ? null : Math.round(this.#deps.clock.monotonic() - this.#contactAt);
  }

  /** Whether this node may ask for ordinary work. */
  mayClaim(): boolean {
    const { state } = this.lease;
    const ageMs = this.contactAgeMs();
    if (state === 'stopping' || state === 'degraded' || ageMs === null) return false;
    return ageMs < this.#deps.config.leaseTtlSec * SECOND_MS;
  }

  /** @throws EdgeError */
  async register(): Promise<void> {
    await this.#registration.register(this.lease.state);
  }

  startLoops(): void {
    this.channel.start();
    this.lease.start();
    this.#poll.start();
    this.#retention.start();
  }

  /** Claims nothing more and gives the lease back, waiting at most `limitMs` for the edge. */
  async giveUpLease(limitMs: number): Promise<void> {
    this.#poll.stop();
    const released = this.lease.stop(limitMs).then(() => this.#registration.idle());
    await withinMs(this.#deps.clock, released, limitMs);
  }

  /** Sends what is left of the outbox; whether all that may leave has left within `limitMs`. */
  async flush(limitMs: number): Promise<boolean> {
    return this.sender.flush(limitMs);
  }

  close(): void {
    this.#retention.stop();
    this.sender.stop();
    this.channel.stop();
  }

  #makeLease(): LeaseLoop {
    const { config, client, clock, log } = this.#deps;
    const ttl_sec = config.leaseTtlSec;
    const { nodeId: controller_id, host, preferred, priority } = config;
    const limitMs = Math.min(HTTP.request_timeout_ms, (ttl_sec * SECOND_MS) / 3);
    const post = { method: 'POST', timeoutMs: limitMs } as const;
    const acquire = () => {
      const body = { controller_id, host, ttl_sec, preferred, priority };
      return client.call({ ...post, path: '/v1/leader/acquire', body, schema: LeaderAcquireResponseSchema });
    };
    return new LeaseLoop({
      clock,
      rules: {
        nodeId: controller_id,
        preferred,
        ttlMs: ttl_sec * SECOND_MS,
        renewIntervalMs: config.leaseRenewIntervalMs,
        renewFailureThreshold: config.renewFailureThreshold,
      },
      transport: {
        acquire,
        renew: (term) => this.channel.renew(term, ttl_sec, limitMs) ?? acquire(),
        release: (term) =>
          client.call({
            ...post,
            path: '/v1/leader/release',
            body: { controller_id, term },
            schema: LeaderReleaseResponseSchema,
          }),
        alone: () => !this.channel.isReady,
      },
      onFailure: (action, error) => log.warn({ action, error }, `the lease request was not answered: ${action}`),
    });
  }

  #makeChannel(): Channel {
    const { config, clock, random, log } = this.#deps;
    const url = `${config.controlApiBase.replace(/^http/, 'ws')}/v1/controllers/${encodeURIComponent(config.nodeId)}/channel`;
    return new Channel({
      url,
      token: config.sharedToken ?? '',
      pingIntervalMs: config.heartbeatIntervalMs,
      clock,
      random,
      hello: () => this.#hello(),
      onPong: ({ mode_version, term }) => {
        this.#contact();
        const isNews = mode_version > (this.#deps.system.seen?.mode_version ?? 0) || term > this.lease.view().term;
        if (isNews) void this.#reread();
      },
      onHelloAck: (ack) => this.#greeted(ack),
      onPushed: (frame) => this.#pushed(frame),
      onProblem: (message, fields) => log.warn(fields, message),
    });
  }

  #hello(): HelloFrame {
    const { config, version, bootId, system } = this.#deps;
    const { nodeId, host, role, preferred, priority } = config;
    const known = { mode_version: system.seen?.mode_version ?? 0, term: this.lease.view().term };
    return {
      type: 'hello',
      controller_id: nodeId,
      host,
      role,
      preferred,
      priority,
      version,
      boot_id: bootId,
      ...known,
    };
  }

  #contact(): void {
    const had = this.mayClaim();
    this.#contactAt = this.#deps.clock.monotonic();
    if (!had && this.mayClaim()) this.sender.wake();
  }

  #greeted(ack: HelloAck): void {
    this.#deps.system.observe(ack.mode, ack.mode_version);
    this.lease.told(ack.lease, ack.candidate);
    this.#contact();
    for (const command of ack.commands) this.#receive(command);
  }

  #pushed(frame: PushedFrame): void {
    switch (frame.type) {
      case 'mode.changed':
        this.#deps.system.observe(frame.mode, frame.mode_version);
        return;
      case 'lease.changed':
        this.lease.told(frame.lease, frame.candidate);
        return;
      case 'changed':
        this.noticed.emit(frame);
        return;
      case 'command':
        this.#receive(frame.command);
        return;
      default:
        frame satisfies never;
    }
  }

  #receive(command: Command): void {
    const receipt = this.#take(command);
    if (receipt) this.channel.send({ type: 'receipt', ...receipt });
  }

  /** Null when this host could not even store it: without a receipt it comes again. */
  #take(command: Command) {
    const { store, commands, clock, log } = this.#deps;
    try {
      return takeCommand(store, commands, command, clock.now());
    } catch (error) {
      log.error({ error, command_id: command.command_id, kind: command.kind }, 'a command could not be taken');
      return null;
    }
  }

  async #reread(): Promise<void> {
    if (this.#rereading) return;
    this.#rereading = true;
    try {
      const { system, lease } = await readCoordination(this.#deps.client);
      this.#deps.system.observe(system.mode, system.version);
      this.lease.told(lease, this.lease.view().candidate);
    } catch (error) {
      this.#deps.log.warn({ error }, 'mode and lease could not be read; the next pong tries again');
    } finally {
      this.#rereading = false;
    }
  }

  #channelTurned(isConnected: boolean): void {
    if (isConnected) {
      this.#deps.log.info('the channel to the edge is open');
      this.#poll.stop();
      this.#registration.report(this.lease.state);
      this.sender.wake();
    } else this.#poll.start();
    this.lease.reconsider();
  }
}

/**
 * This node at the edge: registration, lease, channel, outbox, commands. It takes mode and lease from every source (hello,
 * push, pong, poll), and sends rows that claim ordinary work only while it has contact with the edge. So a node that was
 * away during a pause learns of the pause before it claims anything.
 */
import type { Logger } from 'pino';
import type { EdgeFrame } from '../../schema/contracts/channel-frames.ts';
import type { Command, Receipt } from '../../schema/contracts/commands.ts';
import type { Boot } from '../../schema/contracts/objects.ts';
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
import { Admission } from './admission.ts';
import { leaseFailures } from './lease-failures.ts';
import { LeaseLoop } from './lease-loop.ts';
import { leaseRules, leaseTransport } from './lease-transport.ts';
import { Registration } from './registration.ts';
import { Retention } from './retention.ts';

const SECOND_MS = 1_000;
/** Kinds of outbox rows that ask the edge to claim ordinary work. */
const CLAIMING_KINDS: ReadonlySet<string> = new Set(['ingest', 'claim']);

export type ChangedNotice = Extract<EdgeFrame, { type: 'changed' }>;

export interface NodeRuntimeDeps {
  config: Config;
  version: string;
  boot: Boot;
  startedAt: number;
  store: Store;
  client: EdgeClient;
  system: SystemView;
  responses: ResponseHandlers;
  commands: CommandHandlers;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Logger;
}

export class NodeRuntime {
  /** The edge reports that something it keeps has changed and has to be read again. */
  readonly noticed = new Emitter<ChangedNotice>();
  readonly lease: LeaseLoop;
  readonly channel: Channel;
  readonly sender: OutboxSender;
  readonly #deps: NodeRuntimeDeps;
  readonly #admission: Admission;
  readonly #registration: Registration;
  readonly #poll: CommandPoll;
  readonly #retention: Retention;
  /** Monotonic time of the last contact: a pong, a hello or a poll with a response. */
  #contactAt: number | null = null;
  #isRereading = false;

  constructor(deps: NodeRuntimeDeps) {
    this.#deps = deps;
    const { config, client, clock, random, log, store, boot } = deps;
    this.#admission = new Admission({
      store,
      nodeId: config.nodeId,
      bootId: boot.boot_id,
      onRefused: (message) => log.error(message),
    });
    this.#registration = new Registration({
      client,
      identity: {
        controller_id: config.nodeId,
        host: config.host,
        role: config.role,
        priority: config.priority,
        version: deps.version,
        started_at: deps.startedAt,
      },
      outboxDepth: () => store.outbox.pendingCount(),
      outboxRefused: () => store.outbox.refusedCount(),
      onReported: (draining) => {
        this.#admission.admitted();
        this.#setDraining(draining);
      },
      onFailure: (error) => {
        this.#admission.failed(error);
        log.warn({ error }, 'the status of this node could not be reported');
      },
    });
    this.channel = this.#makeChannel();
    const logFailure = leaseFailures(clock, log);
    this.lease = new LeaseLoop({
      clock,
      rules: leaseRules(config),
      transport: leaseTransport(config, client, this.channel),
      onFailure: (request, error) => {
        this.#admission.failed(error);
        logFailure(request, error);
      },
    });
    this.#retention = new Retention(store, clock);
    this.#poll = new CommandPoll({
      client,
      nodeId: config.nodeId,
      clock,
      random,
      onCoordination: ({ system, lease }) => {
        this.#noteContact();
        deps.system.observe(system.mode, system.version, system.hold);
        this.lease.notice(lease, false);
      },
      onCommand: (command) => this.#takeCommand(command),
      onFailure: (error) => this.#admission.failed(error),
    });
    this.sender = new OutboxSender({
      store,
      client,
      handlers: deps.responses,
      clock,
      random,
      maySend: (kind) => !CLAIMING_KINDS.has(kind) || this.mayClaim(),
      onRefused: () => this.#registration.reread(this.lease.state),
      onProblem: (message, fields) => log.warn(fields, message),
    });
    this.lease.changed.on(({ state, term }) => {
      log.info({ state, term }, `this node is ${state}`);
      this.#registration.report(state);
      this.sender.wake();
    });
    this.channel.connected.on((isConnected) => this.#onChannel(isConnected));
  }

  /** Milliseconds since the last contact with the edge; null before the first. */
  contactAgeMs(): number | null {
    return this.#contactAt === null ? null : Math.round(this.#deps.clock.monotonic() - this.#contactAt);
  }

  /** Whether this node may claim ordinary work. */
  mayClaim(): boolean {
    const { state } = this.lease;
    const ageMs = this.contactAgeMs();
    if (this.#admission.isRefused) return false;
    if (state === 'stopping' || state === 'degraded' || ageMs === null) return false;
    return ageMs < this.#deps.config.leaseTtlSec * SECOND_MS;
  }

  /** What a person has to know about this node at the edge. */
  warnings(): string[] {
    const { problem } = this.#admission;
    return problem === null ? [] : [problem];
  }

  /** Whether this node takes work now, in words. */
  takesWork(): string {
    if (this.#admission.isRefused) return 'takes no work: another agent runs under the id of this node';
    if (this.lease.state === 'degraded') return 'takes no work until the edge accepts this node (degraded)';
    return this.lease.view().draining ? 'takes no steps of tasks: a person drains this node' : 'takes work';
  }

  /** A claim was responded to: the edge says whether a person drains this node. A notice of that may have been lost. */
  noteClaim(draining: boolean): void {
    if (draining !== this.lease.view().draining) this.#registration.reread(this.lease.state);
  }

  /** @throws EdgeError */
  async register(): Promise<void> {
    try {
      await this.#registration.register(this.lease.state);
    } catch (error) {
      this.#admission.failed(error);
      throw error;
    }
  }

  startLoops(): void {
    this.channel.start();
    this.lease.start();
    this.#poll.start();
    this.#retention.start();
  }

  /** Claims nothing more and releases the lease, within `limitMs`. */
  async releaseLease(limitMs: number): Promise<void> {
    this.#poll.stop();
    const released = this.lease.stop(limitMs).then(() => this.#registration.idle());
    await withinMs(this.#deps.clock, released, limitMs);
  }

  close(): void {
    this.#retention.stop();
    this.sender.stop();
    this.channel.stop();
  }

  #makeChannel(): Channel {
    const { config, system, clock, random, log } = this.#deps;
    const url = `${config.controlApiBase.replace(/^http/, 'ws')}/v1/controllers/${encodeURIComponent(config.nodeId)}/channel`;
    return new Channel({
      url,
      token: config.sharedToken ?? '',
      pingIntervalMs: config.heartbeatIntervalMs,
      clock,
      random,
      hello: () => this.#hello(),
      onPong: ({ mode_version, term }) => {
        this.#noteContact();
        system.noteVersion(mode_version);
        if (!system.isCurrent || term > this.lease.view().term) void this.#reread();
      },
      onHelloAck: (ack) => this.#onHelloAck(ack),
      onPushed: (frame) => this.#onPushed(frame),
      onDuplicate: () => this.#admission.refused(),
      onProblem: (message, fields) => log.warn(fields, message),
    });
  }

  #hello(): HelloFrame {
    const { config, version, boot, system } = this.#deps;
    const { nodeId, host, role, preferred, priority } = config;
    const { term, draining } = this.lease.view();
    const known = { mode_version: system.seen?.mode_version ?? 0, term, draining };
    const self = { controller_id: nodeId, host, role, preferred, priority, version, ...boot };
    return { type: 'hello', ...self, ...known };
  }

  #setDraining(draining: boolean): void {
    if (draining === this.lease.view().draining) return;
    this.#deps.log.info(draining ? 'a person drains this node' : 'this node is no longer drained');
    this.lease.setDraining(draining);
    this.channel.send({ type: 'draining', draining });
  }

  #noteContact(): void {
    const couldClaim = this.mayClaim();
    this.#contactAt = this.#deps.clock.monotonic();
    if (!couldClaim && this.mayClaim()) this.sender.wake();
  }

  #onHelloAck(ack: HelloAck): void {
    this.#admission.admitted();
    this.#deps.system.observe(ack.mode, ack.mode_version, ack.hold);
    this.lease.notice(ack.lease, ack.candidate);
    this.#noteContact();
    for (const command of ack.commands) this.#receiveCommand(command);
  }

  #onPushed(frame: PushedFrame): void {
    switch (frame.type) {
      case 'mode.changed':
        this.#deps.system.observe(frame.mode, frame.mode_version, frame.hold);
        return;
      case 'lease.changed':
        this.lease.notice(frame.lease, frame.candidate);
        return;
      case 'changed':
        if (frame.topic === 'node') this.#registration.reread(this.lease.state);
        this.noticed.emit(frame);
        return;
      case 'command':
        this.#receiveCommand(frame.command);
        return;
      default:
        frame satisfies never;
    }
  }

  #receiveCommand(command: Command): void {
    const receipt = this.#takeCommand(command);
    if (receipt) this.channel.send({ type: 'receipt', ...receipt });
  }

  /** Null when the command could not be stored: without a receipt it arrives again. */
  #takeCommand(command: Command): Receipt | null {
    const { store, commands, clock, log } = this.#deps;
    try {
      return takeCommand(store, commands, command, clock.now());
    } catch (error) {
      log.error({ error, command_id: command.command_id, kind: command.kind }, 'a command could not be taken');
      return null;
    }
  }

  async #reread(): Promise<void> {
    if (this.#isRereading) return;
    this.#isRereading = true;
    try {
      const { system, lease } = await readCoordination(this.#deps.client);
      this.#deps.system.observe(system.mode, system.version, system.hold);
      this.lease.notice(lease, this.lease.view().candidate);
    } catch (error) {
      this.#deps.log.warn({ error }, 'mode and lease could not be read; they are read again at the next pong');
    } finally {
      this.#isRereading = false;
    }
  }

  #onChannel(isConnected: boolean): void {
    if (isConnected) {
      this.#deps.log.info('the channel to the edge is open');
      this.#poll.stop();
      this.#registration.report(this.lease.state);
      this.sender.wake();
    } else this.#poll.start();
    this.lease.channelChanged();
  }
}

/**
 * Sends replies, renewals and prompts into tabs, at the pace that policy.ts sets. Promises: a delivery is `sending` on
 * disk before anything leaves, so one that a crash interrupts is `uncertain`; what may have been sent never leaves under
 * another plan, and a browser never sends a plan twice; every delivery ends with one result, stored together with its
 * report; asked for again, a plan that has ended gets its stored result.
 */
import type { Logger } from 'pino';
import type { ActionResult } from '../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { AGENT_KEEPS, DELIVERY, INSTRUCTION } from '../../schema/defaults.ts';
import type { ConnectedBrowsers } from '../browsers/connected-browsers.ts';
import type { ConversationReader } from '../browsers/conversation-reader.ts';
import type { Clock } from '../lib/clock.ts';
import { Emitter } from '../lib/emitter.ts';
import { jumpWatch } from '../lib/jump-watch.ts';
import type { Store } from '../store/store.ts';
import type { DeliveryCommands } from './commands.ts';
import { deliveryCommands } from './commands.ts';
import type { OutgoingMessage } from './deliveries.ts';
import { Deliveries } from './deliveries.ts';
import type { PromptEnd } from './finish.ts';
import { DeliveriesInFlight } from './in-flight.ts';
import { Pacing } from './pacing.ts';
import { DeliveryScheduler } from './scheduler.ts';
import { DeliverySender } from './sender.ts';
import { Slots } from './slots.ts';
import type { ConversationWait, Pace, WaitSources } from './waiting.ts';
import { pacesOf, waitingOf } from './waiting.ts';

export interface DeliveryDeps {
  store: Store;
  nodeId: string;
  browsers: Pick<ConnectedBrowsers, 'isConnected' | 'send'>;
  reader: ConversationReader;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  newRequestId: () => string;
  log: Pick<Logger, 'info'>;
}

export class DeliveryManager {
  readonly commands: DeliveryCommands;
  readonly pacing: Pacing;
  /** Emitted when a prompt has ended, inside the transaction that stores its end. */
  readonly promptEnded = new Emitter<PromptEnd>();
  /** What waits, or why, may differ. */
  readonly changed = new Emitter<void>();
  readonly #deps: DeliveryDeps;
  readonly #deliveries: Deliveries;
  readonly #inFlight = new DeliveriesInFlight();
  readonly #sender: DeliverySender;
  readonly #scheduler: DeliveryScheduler;
  #cancelCleanUp: () => void = () => undefined;

  constructor(given: DeliveryDeps) {
    const { store } = given;
    const clock = jumpWatch(given.clock, (by, now) => this.#clockJumped(by, now));
    const deps = { ...given, clock };
    this.#deps = deps;
    this.#deliveries = new Deliveries(store.db);
    this.pacing = new Pacing(new Slots(store.db), () => clock.now());
    const parts = { ...deps, deliveries: this.#deliveries, inFlight: this.#inFlight, pacing: this.pacing };
    const sender = new DeliverySender({
      ...parts,
      onPromptEnd: (end) => this.promptEnded.emit(end),
      onEnd: () => this.#scheduler.wake(),
    });
    this.#sender = sender;
    this.#scheduler = new DeliveryScheduler({
      ...parts,
      send: (item, now) => sender.send(item, now),
      drop: (item, reason, retryAfterMs) => sender.drop(item, reason, retryAfterMs),
      onRun: () => this.changed.emit(),
    });
    this.commands = deliveryCommands({ ...parts, wake: () => this.#scheduler.wake() });
  }

  /** Takes up what an earlier process was sending, then begins to send. */
  start(): void {
    const { clock } = this.#deps;
    // What is stored cannot be of a time ahead: then the clock was set back while no agent ran.
    const ahead = (this.#deliveries.lastChange() ?? 0) - clock.now();
    if (ahead > 0) this.#deliveries.clockJumped(-ahead);
    this.#sender.recover();
    this.#cleanUp();
    this.#scheduler.start();
  }

  /** Sends nothing more. Deliveries in flight keep their mark: the next start takes them up. */
  stop(): void {
    this.#scheduler.stop();
    this.#cancelCleanUp();
    this.#deps.reader.stop();
    this.#inFlight.clear();
  }

  /** Moves every wait or, when the disk fails, none, so that the repetition moves none twice. */
  #clockJumped(by: number, now: number): void {
    this.#deps.store.transaction(() => {
      this.#deliveries.clockJumped(by);
      this.pacing.clockJumped(by, now);
    });
    this.#scheduler.clockJumped(by);
  }

  /** Queues a reply, inside the caller's transaction. A plan that is known already is left as it is. */
  enqueueReply(message: OutgoingMessage): void {
    const now = this.#deps.clock.now();
    const deadline_at = now + INSTRUCTION.reply_give_up_ms;
    this.#deliveries.add({ ...message, kind: 'reply', subject_kind: 'message', deadline_at }, now);
    this.#scheduler.wake();
  }

  /** Queues a prompt, inside the caller's transaction; `promptEnded` names its subject. A known plan is left as it is. */
  enqueuePrompt(message: OutgoingMessage, subject_kind: PromptEnd['subject_kind']): void {
    const now = this.#deps.clock.now();
    const deadline_at = now + message.timeout_ms;
    this.#deliveries.add({ ...message, kind: 'prompt', subject_kind, deadline_at }, now);
    this.#scheduler.wake();
  }

  onConnected(): void {
    this.#scheduler.wake();
  }

  onDisconnected(clientId: string): void {
    this.#deps.reader.abandon(clientId);
    this.#sender.onDisconnected(clientId);
    this.#scheduler.noteDisconnected(clientId);
  }

  /** A browser's result of a delivery or of a reading. */
  onActionResult(clientId: string, frame: ActionResult): void {
    if (!this.#deps.reader.take(clientId, frame)) this.#sender.onActionResult(clientId, frame);
  }

  /** The page of a conversation can be used again: what the browser has deferred there is due now. */
  onComposerFree(clientId: string, conversation: { platform: Platform; conversation_id: string }): void {
    const isDue = this.#deliveries.hasten(clientId, conversation, this.#deps.clock.now());
    if (isDue) this.#scheduler.wake();
  }

  /** The deliveries of a browser that have not ended, and what they wait for. */
  waiting(clientId: string): ConversationWait[] {
    return waitingOf(this.#waitSources(), clientId, this.#deps.clock.now());
  }

  /** Whether a delivery of that browser may start now, by platform. */
  paces(clientId: string, platforms: readonly Platform[]): Pace[] {
    return pacesOf(this.#waitSources(), clientId, platforms, this.#deps.clock.now());
  }

  /** Every slot and how much is queued in it, for `GET /v1/browser`. */
  targets(): object[] {
    const counts = this.#deliveries.queuedCounts();
    return this.pacing.targets().map((target) => {
      const { client_id, platform } = target;
      const count = counts.find((one) => one.client_id === client_id && one.platform === platform);
      return { ...target, queued: count?.n ?? 0 };
    });
  }

  #waitSources(): WaitSources {
    return { deliveries: this.#deliveries, inFlight: this.#inFlight, view: this.#scheduler.view };
  }

  /** Deletes ended deliveries that the edge no longer asks for, now and daily. */
  #cleanUp(): void {
    const { clock } = this.#deps;
    this.#deliveries.forgetBefore(clock.now() - DELIVERY.keep_ended_ms);
    this.#cancelCleanUp = clock.after(AGENT_KEEPS.look_interval_ms, () => this.#cleanUp());
  }
}

/**
 * Decides when queued deliveries leave. Nothing polls: an enqueued delivery, a connection, an ended delivery and one timer
 * for the next due time each cause a run, and a run looks only at the heads of the queues.
 */
import { DELIVERY } from '../../schema/defaults.ts';
import type { ConnectedBrowsers } from '../browsers/connected-browsers.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import type { ChoiceView } from './choose.ts';
import { decideDelivery, slotBlock } from './choose.ts';
import type { Deliveries, QueuedRow, SlotKey } from './deliveries.ts';
import type { DeliveriesInFlight } from './in-flight.ts';
import type { Pacing } from './pacing.ts';

export interface SchedulerDeps {
  store: Pick<Store, 'transaction'>;
  clock: Clock;
  browsers: Pick<ConnectedBrowsers, 'isConnected'>;
  deliveries: Deliveries;
  inFlight: DeliveriesInFlight;
  pacing: Pacing;
  send(item: QueuedRow, now: number): void;
  drop(item: QueuedRow, reason: string, retryAfterMs: number | null): void;
  /** A run has ended: what waits, or why, may differ. */
  onRun(): void;
}

/** Deliveries dropped in one run at most; the next run drops the rest. */
const MAX_DROPS = 500;

export class DeliveryScheduler {
  readonly #deps: SchedulerDeps;
  /** What decisions read. */
  readonly view: ChoiceView;
  readonly #disconnectedAt = new Map<string, number>();
  #startedAt = 0;
  #isRunning = false;
  #cancelTimer: (() => void) | null = null;

  constructor(deps: SchedulerDeps) {
    this.#deps = deps;
    const { browsers, pacing, inFlight } = deps;
    this.view = {
      isConnected: (clientId) => browsers.isConnected(clientId),
      reconnectsUntil: (clientId) =>
        (this.#disconnectedAt.get(clientId) ?? this.#startedAt) + DELIVERY.reconnect_grace_ms,
      slot: (clientId, platform) => pacing.slot(clientId, platform),
      isBusy: (conversation) => inFlight.isBusy(conversation),
    };
  }

  start(): void {
    this.#startedAt = this.#deps.clock.now();
    this.#isRunning = true;
    this.wake();
  }

  stop(): void {
    this.#isRunning = false;
    this.#cancelTimer?.();
  }

  /** Runs after the current turn, and so after the transaction that may be open. */
  wake(): void {
    if (this.#isRunning) this.#runIn(0);
  }

  /** The browser counts as reconnecting for a moment from now on. */
  noteDisconnected(clientId: string): void {
    this.#disconnectedAt.set(clientId, this.#deps.clock.now());
    this.wake();
  }

  /** The clock has jumped: a browser that is reconnecting has as long as before. */
  clockJumped(by: number): void {
    this.#startedAt += by;
    for (const [clientId, at] of this.#disconnectedAt) this.#disconnectedAt.set(clientId, at + by);
    this.wake();
  }

  #runIn(delayMs: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#deps.clock.after(delayMs, () => {
      this.#cancelTimer = null;
      this.#run();
    });
  }

  #run(): void {
    if (!this.#isRunning) return;
    const { clock, store, deliveries, pacing } = this.#deps;
    const now = clock.now();
    store.transaction(() => pacing.sweep(false));
    for (const item of deliveries.overdue(now, MAX_DROPS)) this.#act(item, now);
    const times = deliveries.queuedSlots().map((slot) => this.#runSlot(slot, now));
    const wakeAt = [...times, deliveries.nextTime(now)].filter((at) => at !== null);
    // A delivery that ended during this run may have scheduled a sooner one.
    if (wakeAt.length > 0 && this.#cancelTimer === null) this.#runIn(Math.max(0, Math.min(...wakeAt) - now));
    this.#deps.onRun();
  }

  /** Sends what may leave, replies first. Returns when the slot as a whole opens again by itself, or null. */
  #runSlot(slot: SlotKey, now: number): number | null {
    const { deliveries, inFlight } = this.#deps;
    for (const isReply of [true, false]) {
      for (;;) {
        const block = slotBlock(slot, this.view, now);
        if (block !== null) {
          const openAt = block.permanent ? Number.MAX_SAFE_INTEGER : (block.until ?? 0);
          for (const item of deliveries.impatientBefore(slot, openAt, MAX_DROPS)) this.#act(item, now);
          return block.until;
        }
        const item = deliveries.head(slot, isReply, now, inFlight.busyConversations(slot.platform));
        if (item === null || !this.#act(item, now)) break;
      }
    }
    return null;
  }

  /** False when the delivery has to wait. */
  #act(item: QueuedRow, now: number): boolean {
    const decision = decideDelivery(item, this.view, now);
    if (decision.type === 'send') this.#deps.send(item, now);
    else if (decision.type === 'drop') this.#deps.drop(item, decision.reason, decision.retryAfterMs);
    return decision.type !== 'wait';
  }
}

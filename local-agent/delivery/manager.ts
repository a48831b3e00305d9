/**
 * Sends replies and renewals into tabs at the policy's pace. Promises: a delivery is marked `sending` on disk before
 * anything leaves, so after a crash in between it is `uncertain` and never sent again; every delivery ends with one
 * result, stored together with the outbox row that tells the edge; a plan that was answered is answered again from
 * the table. A reply waits for its browser until it is given up, a renewal does not. Nothing polls: an enqueue, a
 * connection, a result and one timer for the next due time are what wakes it, and a wake looks only at the heads of
 * its queues.
 */
import type { Logger } from 'pino';
import type { ActionResult, ProxyDelivery, ReadCurrent } from '../../schema/contracts/bridge-frames.ts';
import { AGENT_KEEPS, DELIVERY, INSTRUCTION } from '../../schema/defaults.ts';
import type { Clock } from '../lib/clock.ts';
import { Emitter } from '../lib/emitter.ts';
import type { Store } from '../store/store.ts';
import type { ChoiceView } from './choose.ts';
import { DELIVERY_KINDS, decide, slotBlock } from './choose.ts';
import type { DeliveryCommands } from './commands.ts';
import { deliveryCommands } from './commands.ts';
import type { DeliveryRow, SlotKey, WaitingRow } from './deliveries.ts';
import { Deliveries } from './deliveries.ts';
import type { Flight } from './in-flight.ts';
import { InFlight } from './in-flight.ts';
import type { Ended } from './outcome.ts';
import { notSent, readActionResult, unanswered } from './outcome.ts';
import type { Account } from './pacing.ts';
import { Pacing } from './pacing.ts';
import type { Prompt, PromptEnd } from './prompts.ts';
import { ConversationReader } from './reader.ts';
import type { Reply, ReplyQueue } from './replies.ts';
import { settle } from './settle.ts';
import { Slots } from './slots.ts';
import { proxyDelivery } from './wire.ts';

/** The browsers that are connected now. */
export interface BrowserSessions {
  isConnected(clientId: string): boolean;
  /** Hands a frame to that browser's socket; false when there is none that takes it. */
  send(clientId: string, frame: ProxyDelivery | ReadCurrent | { type: 'browser.cancel'; request_id: string }): boolean;
}

export interface DeliveryDeps {
  store: Store;
  nodeId: string;
  sessions: BrowserSessions;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  newRequestId: () => string;
  log: Pick<Logger, 'info' | 'warn'>;
  /** What the edge knows of a client's pacing is no longer so; `urgent` when it should know at once. */
  onPacingChange?: (clientId: string, urgent: boolean) => void;
}

/** How many are dropped in one turn; the rest follow in the next. */
const MAX_DROPS = 500;

export class DeliveryManager implements ReplyQueue {
  readonly commands: DeliveryCommands;
  readonly pacing: Pacing;
  readonly reader: ConversationReader;
  /** A prompt has ended; emitted inside the transaction that stores its end. */
  readonly promptEnded = new Emitter<PromptEnd>();
  readonly #deps: DeliveryDeps;
  readonly #deliveries: Deliveries;
  readonly #slots: Slots;
  readonly #inFlight = new InFlight();
  /** When a browser went away, or this manager began without it. */
  readonly #awaySince = new Map<string, number>();
  #startedAt = 0;
  #cancelWake: (() => void) | null = null;
  #cancelForget: () => void = () => undefined;
  /** Until `start`, and after `stop`. */
  #stopped = true;

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
    this.#deliveries = new Deliveries(deps.store.db);
    this.#slots = new Slots(deps.store.db);
    const { store, nodeId, clock, sessions, newRequestId } = deps;
    this.pacing = new Pacing({
      slots: this.#slots,
      now: () => clock.now(),
      onChange: (clientId, urgent) => deps.onPacingChange?.(clientId, urgent),
    });
    this.reader = new ConversationReader({
      send: (clientId, frame) => sessions.send(clientId, frame),
      clock,
      newRequestId,
    });
    this.commands = deliveryCommands({
      store,
      nodeId,
      deliveries: this.#deliveries,
      reader: this.reader,
      clock,
      wake: () => this.wake(),
      resume: (clientId, platform) => this.pacing.resume(clientId, platform),
    });
  }

  /** Takes up what an earlier process left, of which what was being sent is `uncertain` now, and begins to send. */
  start(): void {
    const { store, clock } = this.#deps;
    const now = clock.now();
    store.transaction(() => {
      this.pacing.sweep(true);
      for (const planId of this.#deliveries.sending()) {
        const row = this.#deliveries.find(planId);
        if (row) this.#settle(row, unanswered('agent_restarted', 'neutral'));
      }
    });
    this.#startedAt = now;
    this.#stopped = false;
    this.#forgetOld();
    this.wake();
  }

  /** Sends nothing more. What is in flight is left to its mark: `uncertain` at the next start. */
  stop(): void {
    this.#stopped = true;
    this.#cancelWake?.();
    this.#cancelForget();
    this.reader.stop();
    this.#inFlight.clear();
  }

  /** Queues one reply inside the caller's transaction; a plan that is known already is left as it is. */
  enqueue(reply: Reply): void {
    const now = this.#deps.clock.now();
    const deadlineAt = now + INSTRUCTION.reply_give_up_ms;
    this.#deliveries.add({ ...reply, kind: 'reply', created_at: now, next_at: now, deadline_at: deadlineAt });
    this.wake();
  }

  /** Queues one prompt inside the caller's transaction; a plan that is known already is left as it is. */
  enqueuePrompt(prompt: Prompt): void {
    const now = this.#deps.clock.now();
    const deadlineAt = now + prompt.timeout_ms;
    this.#deliveries.add({ ...prompt, kind: 'renewal', created_at: now, next_at: now, deadline_at: deadlineAt });
    this.wake();
  }

  /** A browser says who is signed in: a sign-out or another account stops it there. */
  onAccounts(clientId: string, accounts: readonly Account[]): void {
    this.#deps.store.transaction(() => this.pacing.accountsSeen(clientId, accounts));
  }

  /** A browser's answer. One that nobody waits for any more is only logged: its end was reported. */
  onActionResult(clientId: string, frame: ActionResult): void {
    if (this.reader.take(clientId, frame)) return;
    const flight = this.#inFlight.ofRequest(clientId, frame.request_id);
    if (!flight) {
      this.#deps.log.info({ client_id: clientId, request_id: frame.request_id }, 'a result that nobody waits for');
      return;
    }
    const ended = readActionResult(frame);
    if (ended) this.#endFlight(flight, ended);
  }

  /** That browser's socket is gone: nothing will be heard of what it was sending. */
  onDisconnected(clientId: string): void {
    this.#awaySince.set(clientId, this.#deps.clock.now());
    this.reader.abandon(clientId);
    for (const flight of this.#inFlight.ofClient(clientId)) {
      this.#endFlight(flight, unanswered('connection_lost', 'neutral'));
    }
    this.wake();
  }

  /** Looks at the queue as soon as the current turn, and so the transaction that may be open, has ended. */
  wake(): void {
    if (!this.#stopped) this.#wakeIn(0);
  }

  /** The pacing as `GET /v1/browser` shows it. */
  targets(): object[] {
    const queued = this.#deliveries.queuedCounts();
    return this.pacing.targets().map((target) => ({
      ...target,
      queued:
        queued.find(({ client_id, platform }) => client_id === target.client_id && platform === target.platform)?.n ??
        0,
    }));
  }

  /** Answers that nobody asks for any more, at the start and daily. */
  #forgetOld(): void {
    const { clock } = this.#deps;
    this.#deliveries.forgetBefore(clock.now() - DELIVERY.keep_answered_ms);
    this.#cancelForget = clock.after(AGENT_KEEPS.look_interval_ms, () => this.#forgetOld());
  }

  #wakeIn(delayMs: number): void {
    this.#cancelWake?.();
    this.#cancelWake = this.#deps.clock.after(delayMs, () => {
      this.#cancelWake = null;
      this.#run();
    });
  }

  #run(): void {
    if (this.#stopped) return;
    const { clock, store } = this.#deps;
    const now = clock.now();
    store.transaction(() => this.pacing.sweep(false));
    const view = this.#view();
    const late = this.#deliveries.overdue(now, MAX_DROPS);
    for (const item of late) this.#act(item, view, now);
    const times = this.#deliveries.queuedSlots().map((slot) => this.#runSlot(slot, view, now));
    const wakeAt = [...times, this.#deliveries.nextTime(now)].filter((at) => at !== null);
    // Something that ended meanwhile may have asked for a sooner look.
    if (wakeAt.length > 0 && this.#cancelWake === null) this.#wakeIn(Math.max(0, Math.min(...wakeAt) - now));
  }

  /** Sends what may go; when the slot as a whole opens again by itself, or null. */
  #runSlot(slot: SlotKey, view: ChoiceView, now: number): number | null {
    for (const kind of DELIVERY_KINDS) {
      for (;;) {
        const blocked = slotBlock(slot, view, now);
        if (blocked !== null) {
          const until = blocked.forever ? Number.MAX_SAFE_INTEGER : (blocked.at ?? 0);
          for (const item of this.#deliveries.renewalsBefore(slot, until, MAX_DROPS)) this.#act(item, view, now);
          return blocked.at;
        }
        const item = this.#deliveries.head(slot, kind, now, this.#inFlight.conversationsIn(slot.platform));
        if (item === null || !this.#act(item, view, now)) break;
      }
    }
    return null;
  }

  /** False when it has to wait. */
  #act(item: WaitingRow, view: ChoiceView, now: number): boolean {
    const decision = decide(item, view, now);
    if (decision.type === 'send') this.#send(item, now);
    else if (decision.type === 'drop') this.#drop(item, decision.reason, decision.retryAfterMs);
    return decision.type !== 'wait';
  }

  #view(): ChoiceView {
    return {
      isConnected: (clientId) => this.#deps.sessions.isConnected(clientId),
      backBy: (clientId) => (this.#awaySince.get(clientId) ?? this.#startedAt) + DELIVERY.reconnect_grace_ms,
      slot: (clientId, platform) => this.#slots.get(clientId, platform),
      isBusy: (key) => this.#inFlight.isBusy(key),
    };
  }

  #drop(item: WaitingRow, reason: string, retryAfterMs: number | null): void {
    const row = this.#deliveries.find(item.plan_id);
    if (!row) return;
    const retry = reason === 'no_active_client' ? null : (retryAfterMs ?? DELIVERY.retry_base_ms);
    this.#deps.store.transaction(() => this.#settle(row, notSent(reason, retry)));
  }

  #send(item: WaitingRow, now: number): void {
    const { store, sessions, clock, random, newRequestId } = this.#deps;
    store.transaction(() => {
      const timeoutMs = this.#deliveries.find(item.plan_id)?.timeout_ms ?? 0;
      this.#deliveries.markSending(item.plan_id, now + timeoutMs, now);
      const event = { type: 'started', plan_id: item.plan_id, timeout_ms: timeoutMs, chance: random() } as const;
      this.pacing.apply(item.client_id, item.platform, event);
    });
    const row = this.#deliveries.find(item.plan_id);
    if (!row) return;
    const requestId = newRequestId();
    const cancelTimeout = clock.after(row.timeout_ms, () => this.#timeOut(row.plan_id));
    const flight: Flight = { row, requestId, cancelTimeout };
    this.#inFlight.add(flight);
    if (!sessions.send(row.client_id, proxyDelivery(row, requestId))) {
      this.#endFlight(flight, notSent('no_active_client', null));
    }
  }

  #timeOut(planId: string): void {
    const flight = this.#inFlight.ofPlan(planId);
    if (!flight) return;
    this.#deps.sessions.send(flight.row.client_id, { type: 'browser.cancel', request_id: flight.requestId });
    this.#endFlight(flight, unanswered('timeout', 'failure'));
  }

  #endFlight(flight: Flight, ended: Ended): void {
    this.#inFlight.remove(flight);
    this.#deps.store.transaction(() => {
      const { client_id: clientId, platform, plan_id: planId } = flight.row;
      const event = {
        type: 'ended',
        plan_id: planId,
        verdict: ended.verdict,
        reason: ended.result.reason ?? ended.result.outcome,
        retry_after_ms: ended.result.retry_after_ms ?? null,
        chance: this.#deps.random(),
        stops: ended.stops,
      } as const;
      this.pacing.apply(clientId, platform, event);
      this.#settle(flight.row, ended);
    });
    this.wake();
  }

  #settle(row: DeliveryRow, ended: Ended): void {
    const { store, nodeId, clock, random, log } = this.#deps;
    const promptEnded = (end: PromptEnd): void => this.promptEnded.emit(end);
    const deps = { store, nodeId, deliveries: this.#deliveries, log, promptEnded };
    settle(deps, row, ended, clock.now(), random());
  }
}

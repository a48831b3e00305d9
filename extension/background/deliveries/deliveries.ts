/**
 * Handles the agent's orders: a message to deliver, a conversation to read, an order to stop. A plan whose button was
 * pressed, or that was refused, is not sent again: it gets the result that is stored for it.
 */
import type { AgentBridgeFrame, ProxyDelivery } from '../../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../../schema/contracts/common.ts';
import { ActionNotes } from './action-notes.ts';
import type { RunDeps } from './delivery-run.ts';
import { DeliveryRun } from './delivery-run.ts';
import type { DeliveriesDeps } from './deps.ts';
import type { End } from './end.ts';
import { actionResult, endOf } from './end.ts';
import { Plans } from './plans.ts';
import { Readings } from './readings.ts';
import { WaitingPages } from './waiting-pages.ts';

const MAX_RUNNING = 16;
const BUSY_RETRY_MS = 10_000;
const OFF_RETRY_MS = 300_000;

/** The frames of the agent that are handled here. */
export type DeliveryFrame = Extract<
  AgentBridgeFrame,
  { type: 'browser.proxy_delivery' | 'browser.read_current' | 'browser.cancel' }
>;

export interface Deliveries {
  take(frame: DeliveryFrame): void;
  /** The agent is away: it asks about what was sent when it is back, so nothing more is sent. */
  onDisconnected(): void;
  /** Tabs in which a message is being sent. */
  busyTabs(): ReadonlySet<number>;
  /** The plan that sent this message of the person; null: none did. Undefined: not known now. */
  planOf(platform: Platform, userMessageId: string): string | null | undefined;
  stop(): void;
}

class BrowserDeliveries implements Deliveries {
  readonly #deps: RunDeps;
  readonly #readings: Readings;
  readonly #waiting: WaitingPages;
  readonly #runs = new Map<string, DeliveryRun>();
  readonly #stopListening: () => void;

  constructor(deps: DeliveriesDeps) {
    const plans = new Plans(deps.storage, () => deps.clock.now());
    this.#deps = { ...deps, plans, busyTabs: () => this.busyTabs(), onEnd: (run, end) => this.#onEnd(run, end) };
    this.#readings = new Readings({ ...deps, plans });
    this.#waiting = new WaitingPages({ ...deps, look: (tabId) => deps.call(tabId, 'look', {}) });
    this.#stopListening = deps.traffic.on((event) => {
      for (const run of this.#runs.values()) if (run.frame.platform === event.platform) run.onTraffic(event);
    });
  }

  take(frame: DeliveryFrame): void {
    switch (frame.type) {
      case 'browser.proxy_delivery':
        void this.#deliver(frame);
        return;
      case 'browser.read_current':
        this.#readings.take(frame);
        return;
      case 'browser.cancel':
        this.#readings.cancel(frame.request_id);
        for (const run of this.#runs.values()) if (run.requestIds.has(frame.request_id)) run.cancel('canceled');
        return;
      default:
        frame satisfies never;
    }
  }

  onDisconnected(): void {
    this.#readings.cancelAll();
    for (const run of this.#runs.values()) run.cancel('connection_lost');
  }

  busyTabs(): ReadonlySet<number> {
    return new Set([...this.#runs.values()].flatMap(({ tabId }) => (tabId === null ? [] : [tabId])));
  }

  planOf(platform: Platform, userMessageId: string): string | null | undefined {
    const { plans } = this.#deps;
    const sent = plans.byMessage(platform, userMessageId);
    if (sent !== null) return sent.planId;
    const running = [...this.#runs.values()].filter(({ frame }) => frame.platform === platform);
    const own = running.find(({ found }) => found.userMessageId === userMessageId);
    if (own !== undefined) return own.frame.plan_id;
    // What is being sent may turn out to be that message.
    return plans.isLoaded && running.length === 0 ? null : undefined;
  }

  stop(): void {
    this.#stopListening();
    this.#waiting.stop();
    this.onDisconnected();
  }

  async #deliver(frame: ProxyDelivery): Promise<void> {
    const { plans, clock } = this.#deps;
    const receivedAt = clock.now();
    try {
      await plans.loaded();
    } catch {
      return this.#send(
        frame,
        frame.request_id,
        endOf('deferred', 'storage_not_available', { retryAfterMs: BUSY_RETRY_MS }),
        receivedAt,
      );
    }
    const running = this.#runs.get(frame.plan_id);
    if (running) {
      running.requestIds.add(frame.request_id);
      return;
    }
    const end = plans.find(frame.plan_id)?.end ?? this.#refusal(frame);
    if (end !== null) return this.#send(frame, frame.request_id, end, receivedAt);
    this.#runs.set(frame.plan_id, new DeliveryRun(frame, this.#deps));
  }

  /** Why the message is not begun now; null when it is. */
  #refusal({ platform, message_text: text }: ProxyDelivery): End | null {
    const { isOn, siteOf } = this.#deps;
    if (!isOn(platform)) return endOf('deferred', 'site_turned_off', { retryAfterMs: OFF_RETRY_MS });
    const { maxTextChars } = siteOf(platform).wire;
    if (maxTextChars !== null && text.length > maxTextChars) return endOf('refused', 'text_too_long');
    const isBusy = this.#runs.size >= MAX_RUNNING;
    return isBusy ? endOf('deferred', 'browser_busy', { retryAfterMs: BUSY_RETRY_MS }) : null;
  }

  #onEnd(run: DeliveryRun, end: End): void {
    this.#runs.delete(run.frame.plan_id);
    this.#waiting.ended(run.frame.platform, run.frame.conversation_id, run.tabId, end);
    for (const requestId of run.requestIds) this.#send(run.frame, requestId, end, run.receivedAt, run);
  }

  #send(frame: ProxyDelivery, requestId: string, end: End, receivedAt: number, run: DeliveryRun | null = null): void {
    const found =
      run === null ? {} : { user_message_id: run.found.userMessageId, conversation_id: run.found.conversationId };
    // A plan that is not begun, or was ended before, uses no tab now.
    const notes = run?.notes ?? new ActionNotes(frame.platform);
    const parts = notes.parts(end.outcome === 'delivered', end.reason);
    const of = { ...this.#deps.identity(), platform: frame.platform, tabId: run?.tabId ?? null, found, parts };
    this.#deps.send(actionResult(requestId, end, of, receivedAt));
    const conversationId = run?.found.conversationId ?? frame.conversation_id;
    this.#deps.ended({ platform: frame.platform, conversationId, end });
  }
}

export function startDeliveries(deps: DeliveriesDeps): Deliveries {
  return new BrowserDeliveries(deps);
}

/**
 * Hands deliveries to browsers and stores how they end. A delivery is committed as `sending` before its frame leaves, so
 * one that a crash interrupts is `uncertain`. Every delivery ends with one result, stored together with its report. A
 * reply stays `sending` while it is searched for, so that a crash loses nothing.
 */
import type { Logger } from 'pino';
import type { ActionResult } from '../../schema/contracts/bridge-frames.ts';
import { DELIVERY } from '../../schema/defaults.ts';
import type { ConnectedBrowsers } from '../browsers/connected-browsers.ts';
import type { ConversationReader } from '../browsers/conversation-reader.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import type { Deliveries, DeliveryRow, QueuedRow } from './deliveries.ts';
import type { PromptEnd } from './finish.ts';
import { finishDelivery } from './finish.ts';
import type { DeliveriesInFlight, DeliveryInFlight } from './in-flight.ts';
import type { AttemptEnd } from './outcome.ts';
import { notSent, readActionResult, searched, withoutResult } from './outcome.ts';
import type { Pacing } from './pacing.ts';
import { onlyAccount } from './policy.ts';
import { mayBeSent } from './replies.ts';
import { foundResult, searchConversation } from './search.ts';
import { proxyDelivery } from './wire.ts';

export interface SenderDeps {
  store: Store;
  nodeId: string;
  browsers: Pick<ConnectedBrowsers, 'send'>;
  reader: Pick<ConversationReader, 'read'>;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  newRequestId: () => string;
  log: Pick<Logger, 'info'>;
  deliveries: Deliveries;
  inFlight: DeliveriesInFlight;
  pacing: Pacing;
  onPromptEnd(end: PromptEnd): void;
  /** A delivery has ended: another one may be able to leave. */
  onEnd(): void;
}

/** The waits before the searches for a reply. */
const SEARCH_WAITS = [DELIVERY.search_delay_ms, DELIVERY.search_again_ms] as const;

export class DeliverySender {
  readonly #deps: SenderDeps;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
  }

  /** What an earlier process was sending is `uncertain`; of a reply, its browser is asked. */
  recover(): void {
    const { store, deliveries, pacing } = this.#deps;
    const end = withoutResult('agent_restarted', 'neutral');
    const sought = store.transaction(() => {
      pacing.sweep(true);
      const rows = deliveries.sending().flatMap((planId) => deliveries.find(planId) ?? []);
      return rows.filter((row) => !this.#finish(row, end));
    });
    for (const row of sought) this.#search(row, end);
  }

  send({ plan_id, client_id: clientId, platform }: QueuedRow, now: number): void {
    const { store, browsers, clock, random, newRequestId, deliveries, inFlight, pacing } = this.#deps;
    const row = store.transaction(() => {
      const marked = deliveries.markSending(plan_id, now);
      const event = { type: 'started', plan_id, timeout_ms: marked.timeout_ms, chance: random() } as const;
      pacing.apply(clientId, platform, event);
      return marked;
    });
    const requestId = newRequestId();
    const cancelTimeout = clock.after(row.timeout_ms, () => this.#timeOut(plan_id));
    const delivery: DeliveryInFlight = { row, requestId, cancelTimeout };
    inFlight.add(delivery);
    const account = row.target.account_fingerprint ?? onlyAccount(pacing.slot(clientId, platform));
    const isSent = browsers.send(clientId, proxyDelivery(row, requestId, account));
    if (isSent) return;
    this.#end(
      delivery,
      mayBeSent(row) ? withoutResult('no_active_client', 'neutral') : notSent('no_active_client', null),
    );
  }

  /** Ends a queued delivery without sending it. A reply that may have been sent before is searched for. */
  drop(item: QueuedRow, reason: string, retryAfterMs: number | null): void {
    const { store, clock, deliveries } = this.#deps;
    const row = deliveries.find(item.plan_id);
    if (!row) return;
    if (mayBeSent(row)) {
      const marked = store.transaction(() => deliveries.markSending(row.plan_id, clock.now()));
      this.#search(marked, withoutResult(reason, 'neutral'));
      return;
    }
    const retry = reason === 'no_active_client' ? null : (retryAfterMs ?? DELIVERY.retry_base_ms);
    store.transaction(() => this.#finish(row, notSent(reason, retry)));
  }

  /** A result for a delivery that has ended already is only logged: of a reply, the browser gives it again when asked. */
  onActionResult(clientId: string, frame: ActionResult): void {
    const { inFlight, log } = this.#deps;
    const delivery = inFlight.byRequest(clientId, frame.request_id);
    if (!delivery) {
      log.info({ client_id: clientId, request_id: frame.request_id }, 'a result of no delivery in flight');
      return;
    }
    const end = readActionResult(frame);
    if (end) this.#end(delivery, end);
  }

  /** The browser's socket is gone: no result will come for what it was sending. */
  onDisconnected(clientId: string): void {
    for (const delivery of this.#deps.inFlight.byClient(clientId)) {
      this.#end(delivery, withoutResult('connection_lost', 'neutral'));
    }
  }

  #timeOut(planId: string): void {
    const { inFlight, browsers } = this.#deps;
    const delivery = inFlight.byPlan(planId);
    if (!delivery) return;
    const { requestId } = delivery;
    if (requestId !== null) browsers.send(delivery.row.client_id, { type: 'browser.cancel', request_id: requestId });
    this.#end(delivery, withoutResult('timeout', 'failure'));
  }

  #end(delivery: DeliveryInFlight, end: AttemptEnd): void {
    const { store, inFlight, pacing, random, onEnd } = this.#deps;
    inFlight.remove(delivery);
    const isStored = store.transaction(() => {
      const { client_id: clientId, platform, plan_id } = delivery.row;
      const { result, countsAs, stops, pages } = end;
      pacing.apply(clientId, platform, {
        type: 'ended',
        plan_id,
        counts_as: countsAs,
        reason: result.reason ?? result.outcome,
        retry_after_ms: result.retry_after_ms ?? null,
        chance: random(),
        stops,
        pages,
      });
      return this.#finish(delivery.row, end);
    });
    if (!isStored) this.#search(delivery.row, end);
    onEnd();
  }

  /** False when the conversation has to be searched first. */
  #finish(row: DeliveryRow, end: AttemptEnd): boolean {
    return finishDelivery(this.#deps, row, end, this.#deps.clock.now(), this.#deps.random());
  }

  /** Meanwhile nothing else goes to that conversation. A lost connection ends the search: then the browser is asked again. */
  #search(row: DeliveryRow, end: AttemptEnd, [waitMs, ...later]: readonly number[] = SEARCH_WAITS): void {
    const { inFlight, clock } = this.#deps;
    const cancelTimeout = searchConversation(this.#deps, row, clock.now() + (waitMs ?? 0), (finding) => {
      if (inFlight.byPlan(row.plan_id) !== sought) return;
      const isFound = finding === 'found';
      if (!isFound && later.length > 0) this.#search(row, end, later);
      else this.#end(sought, searched(isFound ? foundResult(end.result) : end.result));
    });
    const sought: DeliveryInFlight = { row, requestId: null, cancelTimeout };
    inFlight.add(sought);
  }
}

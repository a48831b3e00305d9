/** Performs the effects of one delivery and feeds their results back to its machine. */
import type { ProxyDelivery } from '../../../schema/contracts/bridge-frames.ts';
import type { Site } from '../../sites/site.ts';
import type { TrafficEvent } from '../traffic.ts';
import { ActionNotes } from './action-notes.ts';
import type { Delivery, DeliveryEffect, DeliveryEvent, Moved } from './delivery-state.ts';
import { beginDelivery } from './delivery-state.ts';
import type { DeliveriesDeps } from './deps.ts';
import type { End } from './end.ts';
import { endOf } from './end.ts';
import type { AccountTab, WantedAccount } from './find-tab.ts';
import { chooseTab, skippedTabs } from './find-tab.ts';
import { identifyByReading, identifyByView, isShown } from './identify.ts';
import { moveDelivery } from './machine.ts';
import type { Plan, Plans } from './plans.ts';
import { endedPlan, newPlan } from './plans.ts';
import { readSite } from './read-site.ts';

const NO_WINDOW_RETRY_MS = 30_000;

export interface RunDeps extends DeliveriesDeps {
  plans: Plans;
  /** Tabs that deliveries use now. */
  busyTabs(): ReadonlySet<number>;
  onEnd(run: DeliveryRun, end: End): void;
}

export class DeliveryRun {
  readonly frame: ProxyDelivery;
  readonly site: Site;
  readonly receivedAt: number;
  /** Every request of the agent that asked for this plan. */
  readonly requestIds: Set<string>;
  /** Of its tab and the others, for the result. */
  readonly notes: ActionNotes;
  readonly #deps: RunDeps;
  #delivery: Delivery;
  #plan: Plan;
  #cancelTimer: () => void = () => undefined;
  /** Of the tab, which keeps it. */
  #container: string | null = null;

  constructor(frame: ProxyDelivery, deps: RunDeps) {
    const {
      plan_id: planId,
      platform,
      conversation_id: conversationId,
      message_text: text,
      timeout_ms: timeoutMs,
    } = frame;
    const now = deps.clock.now();
    this.frame = frame;
    this.site = deps.siteOf(platform);
    this.receivedAt = now;
    this.notes = new ActionNotes(platform);
    this.requestIds = new Set([frame.request_id]);
    this.#deps = deps;
    this.#plan = newPlan(planId, platform, conversationId, now);
    const account = frame.account_fingerprint ?? null;
    const begun = beginDelivery({ planId, conversationId, text, account, timeoutMs }, now);
    this.#delivery = begun.next;
    this.#move(begun);
  }

  get tabId(): number | null {
    return this.#delivery.tabId;
  }

  get found(): Delivery['found'] {
    return this.#delivery.found;
  }

  cancel(reason: string): void {
    this.#take({ type: 'canceled', reason });
  }

  onTraffic(event: TrafficEvent): void {
    if (event.type === 'decoded' && event.event.type === 'drift' && event.tabId === this.tabId) {
      this.notes.drifted(`${event.role}: ${event.event.what}`);
    }
    this.#take({ type: 'traffic', event });
  }

  #take(event: DeliveryEvent): void {
    this.#move(moveDelivery(this.#delivery, event, this.#deps.clock.now()));
  }

  #move({ next, effects }: Moved): void {
    const { clock } = this.#deps;
    this.#delivery = next;
    this.#cancelTimer();
    const { wakeAt } = next;
    this.#cancelTimer =
      wakeAt === null
        ? () => undefined
        : clock.after(Math.max(0, wakeAt - clock.now()), () => this.#take({ type: 'time' }));
    for (const effect of effects) void this.#perform(effect);
  }

  /** Never rejects: what fails is an event too. */
  async #perform(effect: DeliveryEffect): Promise<void> {
    switch (effect.type) {
      case 'store':
        return this.#store(effect.stage);
      case 'find_tab':
        return this.#findTab();
      case 'look':
        return this.#look();
      case 'identify':
        return this.#identify();
      case 'compose':
      case 'press':
        return this.#compose(effect);
      case 'withdraw':
        return this.#withdraw();
      case 'confirm':
        return this.#confirm();
      case 'end':
        return this.#end(effect.end);
      default:
        return effect satisfies never;
    }
  }

  /** When storage fails, the machine ends the delivery unsent by its own time limit. */
  async #store(stage: 'started' | 'pressed'): Promise<void> {
    const { plans, clock, diagnostic } = this.#deps;
    try {
      await plans.loaded();
      this.#plan = { ...this.#plan, stage, at: clock.now() };
      await plans.put(this.#plan);
      this.#take({ type: 'stored' });
    } catch (error) {
      diagnostic('warn', `the plan could not be stored: ${String(error)}`);
    }
  }

  #wantedAccount(): WantedAccount | null {
    const { account, containerOf } = this.#deps;
    const { platform } = this.frame;
    const wanted = this.#delivery.order.account;
    if (wanted === null) return null;
    const isIn = (tab: AccountTab) => {
      const known = account(platform, tab);
      return known === null ? null : known === wanted;
    };
    return { isIn, container: containerOf(platform, wanted) };
  }

  async #findTab(): Promise<void> {
    const { tabs, busyTabs } = this.#deps;
    const { tab_id: tabId, conversation_id: conversationId, page_url: pageUrl } = this.frame;
    try {
      const open = await tabs.all(this.site.matches);
      const wanted = { tabId, conversationId, pageUrl, account: this.#wantedAccount() };
      const busy = busyTabs();
      const choice = chooseTab(this.site, open, wanted, busy);
      this.notes.skipped(skippedTabs(this.site, open, wanted, { choice, busy }));
      if (choice.type === 'none') return this.#take({ type: 'no_tab', end: endOf('refused', choice.reason) });
      if (choice.type === 'open') {
        const opened = await tabs.open(choice.url, choice.beside);
        this.#container = opened.cookieStoreId;
        this.notes.used(opened.id, true);
        return this.#take({ type: 'tab_found', tabId: opened.id });
      }
      this.#container = choice.tab.cookieStoreId;
      this.notes.used(choice.tab.id, choice.tab.isDiscarded);
      this.#take({ type: 'tab_found', tabId: choice.tab.id });
      if (choice.tab.isDiscarded) await tabs.reload(choice.tab.id);
    } catch {
      this.#take({ type: 'no_tab', end: endOf('deferred', 'no_tab', { retryAfterMs: NO_WINDOW_RETRY_MS }) });
    }
  }

  async #look(): Promise<void> {
    const { tabs, call, accountOfPage } = this.#deps;
    const tabId = this.#delivery.tabId;
    if (tabId === null) return;
    try {
      const look = await call(tabId, 'look', {});
      this.notes.looked(look);
      const account = await accountOfPage(this.frame.platform, this.#container, look);
      this.#take({ type: 'looked', look, account });
    } catch {
      const isTabGone = !(await tabs.exists(tabId).catch(() => false));
      this.#take({ type: 'not_looked', isTabGone });
    }
  }

  async #identify(): Promise<void> {
    const tabId = this.#delivery.tabId;
    const { conversation_id: conversationId, assistant_message_id: messageId } = this.frame;
    if (tabId === null || conversationId === null) return;
    try {
      const view = await this.#deps.call(tabId, 'view', {});
      const byView = identifyByView(view, conversationId, messageId);
      if (byView !== null) return this.#take({ type: 'identified', as: byView });
      const timeoutMs = Math.max(0, this.#delivery.times.readyBy - this.#deps.clock.now());
      const reading = await readSite(this.#deps.call, this.site, tabId, conversationId, timeoutMs);
      this.#take({ type: 'identified', as: identifyByReading(view, reading, conversationId) });
    } catch {
      this.#take({ type: 'identified', as: 'unknown' });
    }
  }

  async #compose({ type, timeoutMs }: Extract<DeliveryEffect, { type: 'compose' | 'press' }>): Promise<void> {
    const { call } = this.#deps;
    const { order, tabId } = this.#delivery;
    if (tabId === null) return;
    const { planId, text, conversationId } = order;
    try {
      if (type === 'compose') {
        const outcome = await call(tabId, 'compose', { planId, text, conversationId, timeoutMs });
        this.#note(outcome.detail);
        if (!outcome.typed) this.notes.refused(outcome.refusal, outcome.look);
        this.#take({ type: 'composed', outcome });
      } else {
        const outcome = await call(tabId, 'press', { planId, timeoutMs });
        if (!outcome.pressed) this.notes.refused(outcome.refusal, outcome.look);
        this.#take({ type: 'pressed', outcome });
      }
    } catch {
      this.#take({ type: 'call_lost' });
    }
  }

  #note(detail: Record<string, string>): void {
    this.#deps.diagnostic('info', `typed at ${this.site.platform} by ${detail.method ?? 'nothing'}`);
  }

  async #withdraw(): Promise<void> {
    const { order, tabId } = this.#delivery;
    if (tabId === null) return;
    const { planId, text } = order;
    const outcome = await this.#deps.call(tabId, 'withdraw', { planId, text }).catch(() => null);
    this.#take({ type: 'withdrawn', outcome });
  }

  async #confirm(): Promise<void> {
    const { order, tabId, found } = this.#delivery;
    if (tabId === null) return;
    const view = await this.#deps.call(tabId, 'view', {}).catch(() => null);
    this.#take({ type: 'confirmed', isSeen: view !== null && isShown(view, order.text, found.userMessageId) });
  }

  async #end(end: End): Promise<void> {
    const { plans, clock, diagnostic, onEnd } = this.#deps;
    const { userMessageId } = this.#delivery.found;
    try {
      // A deferred plan was not sent and may come again under its id.
      if (end.outcome === 'deferred') await plans.remove(this.frame.plan_id);
      else await plans.put(endedPlan(this.#plan, end, userMessageId, clock.now()));
    } catch (error) {
      diagnostic('warn', `the end of a plan could not be stored: ${String(error)}`);
    }
    onEnd(this, end);
  }
}

/**
 * Reads conversations for the agent: from the site itself, and only when that cannot be read from what the page shows. A
 * tab that was opened for it is closed again.
 */
import type { ActionResult, ConversationReading, ReadCurrent } from '../../../schema/contracts/bridge-frames.ts';
import type { Site } from '../../sites/site.ts';
import { ActionNotes } from './action-notes.ts';
import type { DeliveriesDeps } from './deps.ts';
import type { OpenTab } from './find-tab.ts';
import { chooseTab, currentTab, skippedTabs } from './find-tab.ts';
import type { Plans } from './plans.ts';
import { readSite } from './read-site.ts';
import { isAtConversation } from './readiness.ts';
import { pageReading, siteReading } from './reading.ts';

const LOOK_INTERVAL_MS = 300;
const RESULT_MS = 500;
const MAX_READINGS = 8;

interface Place {
  tab: OpenTab;
  conversationId: string;
  isOpened: boolean;
}

interface Running {
  isCanceled: boolean;
  notes: ActionNotes;
}

class Unreadable extends Error {}

export class Readings {
  readonly #deps: DeliveriesDeps & { plans: Plans };
  readonly #running = new Map<string, Running>();

  constructor(deps: DeliveriesDeps & { plans: Plans }) {
    this.#deps = deps;
  }

  take(frame: ReadCurrent): void {
    void this.#run(frame);
  }

  cancel(requestId: string): void {
    const running = this.#running.get(requestId);
    if (running) running.isCanceled = true;
  }

  cancelAll(): void {
    for (const running of this.#running.values()) running.isCanceled = true;
  }

  async #run(frame: ReadCurrent): Promise<void> {
    const state: Running = { isCanceled: false, notes: new ActionNotes(frame.platform) };
    const receivedAt = this.#deps.clock.now();
    if (this.#running.size >= MAX_READINGS) return this.#send(frame, receivedAt, state, null, 'too_many_readings');
    this.#running.set(frame.request_id, state);
    try {
      const reading = await this.#read(frame, receivedAt + Math.max(0, frame.timeout_ms - RESULT_MS), state);
      if (!state.isCanceled) this.#send(frame, receivedAt, state, reading, null);
    } catch (error) {
      const reason = error instanceof Unreadable ? error.message : 'page_not_ready';
      if (!state.isCanceled) this.#send(frame, receivedAt, state, null, reason);
    } finally {
      this.#running.delete(frame.request_id);
    }
  }

  async #read(frame: ReadCurrent, deadline: number, state: Running): Promise<ConversationReading> {
    const { siteOf, tabs } = this.#deps;
    const site = siteOf(frame.platform);
    const place = await this.#place(site, frame, state.notes);
    try {
      await this.#untilShown(place, deadline, state);
      return await this.#readAt(site, place, deadline);
    } finally {
      if (place.isOpened) await tabs.close(place.tab.id).catch(() => undefined);
    }
  }

  async #place(site: Site, frame: ReadCurrent, notes: ActionNotes): Promise<Place> {
    const { tabs } = this.#deps;
    const open = await tabs.all(site.matches);
    if (frame.conversation_id === null) {
      const tab = currentTab(site, open);
      const conversationId = tab && site.wire.addressOf(new URL(tab.url)).conversationId;
      if (!tab || !conversationId) throw new Unreadable('no_conversation_open');
      notes.used(tab.id, false);
      return { tab, conversationId, isOpened: false };
    }
    const conversationId = frame.conversation_id;
    const wanted = { tabId: frame.tab_id, conversationId, pageUrl: frame.page_url };
    const busy = new Set<number>();
    const choice = chooseTab(site, open, wanted, busy);
    notes.skipped(skippedTabs(site, open, wanted, { choice, busy }));
    if (choice.type === 'none') throw new Unreadable(choice.reason);
    if (choice.type === 'open') {
      const tab = await tabs.open(choice.url, choice.beside);
      notes.used(tab.id, true);
      return { tab, conversationId, isOpened: true };
    }
    notes.used(choice.tab.id, choice.tab.isDiscarded);
    if (choice.tab.isDiscarded) await tabs.reload(choice.tab.id);
    return { tab: choice.tab, conversationId, isOpened: false };
  }

  /** Waits until the page is there; a reading needs no composer, so what it is missing does not matter at the end. */
  async #untilShown({ tab, conversationId }: Place, deadline: number, state: Running): Promise<void> {
    const { call, clock } = this.#deps;
    let isReachable = false;
    while (!state.isCanceled && clock.now() < deadline) {
      const look = await call(tab.id, 'look', {}).catch(() => null);
      if (look !== null) state.notes.looked(look);
      isReachable = look !== null && isAtConversation(look, conversationId);
      if (isReachable && look?.composer !== 'loading') return;
      if (isReachable && clock.now() > deadline - 2 * LOOK_INTERVAL_MS) return;
      await new Promise<void>((resolve) => clock.after(LOOK_INTERVAL_MS, resolve));
    }
    throw new Unreadable(isReachable ? 'page_not_ready' : 'conversation_not_shown');
  }

  async #readAt(site: Site, { tab, conversationId }: Place, deadline: number): Promise<ConversationReading> {
    const { call, clock, plans } = this.#deps;
    const timeoutMs = Math.max(0, deadline - clock.now());
    const reading = await readSite(call, site, tab.id, conversationId, timeoutMs).catch(() => null);
    const planOf = (id: string): string | null => plans.byMessage(site.platform, id)?.planId ?? null;
    if (reading !== null) return siteReading(reading, planOf);
    const view = await call(tab.id, 'view', {});
    if (view.conversationId !== null && view.conversationId !== conversationId) {
      throw new Unreadable('conversation_not_shown');
    }
    return pageReading(view, conversationId);
  }

  #send(
    frame: ReadCurrent,
    receivedAt: number,
    { notes }: Running,
    conversation: ConversationReading | null,
    reason: string | null,
  ): void {
    const { clientId, connectionId } = this.#deps.identity();
    const result: ActionResult = {
      type: 'browser.action_result',
      request_id: frame.request_id,
      action: 'browser.read_current',
      accepted: true,
      completed: true,
      failed: conversation === null,
      reason,
      received_at: receivedAt,
      target: {
        client_id: clientId,
        connection_id: connectionId,
        platform: frame.platform,
        requested_client_id: frame.client_id,
        requested_platform: frame.platform,
      },
      ...notes.parts(conversation !== null, reason),
      conversation,
    };
    this.#deps.send(result);
  }
}

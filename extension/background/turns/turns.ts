/**
 * Runs the state machine of turns: feeds it with events one by one, stores its state, and performs what follows. Nothing
 * waits for storage, whose writes take long on a busy disk: a turn is stored when its question is sent, and from then on a
 * restart finds it there and reads its answer again. The same answer is the same message, by its request id, so it is known
 * again by the queue and by the agent. A turn leaves storage only when the queue has stored its message.
 */
import type { Platform } from '../../../schema/contracts/common.ts';
import type { Clock } from '../../lib/clock.ts';
import { Emitter } from '../../lib/emitter.ts';
import { Serial } from '../../lib/serial.ts';
import type { StorageArea } from '../../lib/storage.ts';
import { STORAGE_KEYS, Stored } from '../../lib/storage.ts';
import type { PageLook, ShownAnswer } from '../../messages.ts';
import type { SiteReading } from '../../sites/facts.ts';
import type { Site } from '../../sites/site.ts';
import type { MessageQueue, Taken } from '../queue/message-queue.ts';
import type { PageCaller } from '../tabs/page-calls.ts';
import { CALL_MARGIN_MS } from '../tabs/page-calls.ts';
import type { SiteTab, TabRegistry } from '../tabs/tab-registry.ts';
import type { TrafficEvent } from '../traffic.ts';
import type { Step, TurnEffect, TurnEvent, TurnRules } from './events.ts';
import type { PlanOf } from './final-message.ts';
import { finalMessage } from './final-message.ts';
import { RequestIds } from './request-ids.ts';
import { SecondOpinions } from './second-opinion.ts';
import { nextDue, resume, step } from './step.ts';
import type { Turn, TurnsState } from './turn.ts';
import { endedConversations, NO_TURNS, SentSchema, setAsideCount, TurnsSchema } from './turn.ts';

const SAVE_MS = 500;
const READ_MS = 15_000;
const LOOK_MS = 2_000;
const SHOW_MS = 20_000;

export interface TurnsDeps {
  storage: StorageArea;
  clock: Clock;
  sites: readonly Site[];
  tabs: Pick<TabRegistry, 'get' | 'showing'>;
  pages: PageCaller;
  queue: Pick<MessageQueue, 'add'>;
  clientId: () => Promise<string>;
  /** The account of a container, where it is to be named. */
  accountToName: (tab: SiteTab) => string | null;
  planOf: PlanOf;
  isOn: (platform: Platform) => boolean;
  /** Something that a person should be able to see; it holds no content of a conversation. */
  report: (platform: Platform, what: string, conversationId?: string | null) => void;
}

type Effect<Type extends TurnEffect['type']> = Extract<TurnEffect, { type: Type }>;

export class Turns {
  /** How many messages are set aside, after a change of that. */
  readonly setAside = new Emitter<number>();
  /** The answer of a conversation ended without a final message, such as by a stop, and no other one is awaited there. */
  readonly ended = new Emitter<{ platform: Platform; conversationId: string }>();
  readonly #deps: TurnsDeps;
  readonly #rules: TurnRules;
  readonly #turns: Stored<Turn[]>;
  readonly #sent: Stored<string[]>;
  readonly #opinions: SecondOpinions;
  readonly #requestIds = new RequestIds();
  readonly #steps = new Serial();
  readonly #writes = new Serial();
  #state: TurnsState = NO_TURNS;
  /** What is in storage, or on its way there. */
  #saved: TurnsState = NO_TURNS;
  #cancelSave: (() => void) | null = null;
  #cancelTick: () => void = () => undefined;

  constructor(deps: TurnsDeps) {
    this.#deps = deps;
    this.#opinions = new SecondOpinions(deps);
    this.#turns = new Stored(deps.storage, STORAGE_KEYS.turns, TurnsSchema, NO_TURNS.turns);
    this.#sent = new Stored(deps.storage, STORAGE_KEYS.sent, SentSchema, NO_TURNS.sent);
    this.#rules = {
      confirmsByReading: (platform) => this.#site(platform)?.wire.confirmsByReading ?? false,
      addressOf: (tabId) => deps.tabs.get(tabId)?.address ?? null,
    };
  }

  /**
   * Continues what an earlier background page has left, after `ready`. It is called before the first event, and events
   * wait for its end.
   */
  load(ready: Promise<unknown>): Promise<void> {
    return this.#steps.run(async () => {
      await ready;
      const state = { turns: await this.#turns.read(), sent: await this.#sent.read() };
      this.#saved = state;
      this.#take(resume(state, this.#deps.clock.now(), this.#rules));
    });
  }

  onTraffic(event: TrafficEvent): void {
    if (event.type === 'decoded' && event.event.type === 'drift') {
      this.#deps.report(event.platform, `drift: ${event.role}: ${event.event.what}`);
    }
    this.#on({ type: 'traffic', event }, event.platform);
  }

  onPage(platform: Platform, tabId: number, look: PageLook): void {
    this.#on({ type: 'page', platform, tabId, look }, platform);
  }

  /** Has a conversation read for its open turns, at most once for each. */
  reread(platform: Platform, conversationId: string): void {
    this.#on({ type: 'reread', platform, conversationId }, platform);
  }

  /** The queue has room for a message that it could not take. */
  onRoom(): void {
    this.#on({ type: 'room' });
  }

  /** The browser has started: messages that are set aside are offered once more. */
  onBrowserStart(): void {
    this.#on({ type: 'browser_start' });
  }

  /** A timer may have been lost with a suspended background page. */
  wake(): void {
    this.#on({ type: 'tick' });
  }

  #on(event: TurnEvent, platform?: Platform): void {
    void this.#steps
      .run(() => {
        if (platform !== undefined && !this.#deps.isOn(platform)) return;
        this.#take(step(this.#state, event, this.#deps.clock.now(), this.#rules));
      })
      .catch((error: unknown) => {
        // The next events are handled all the same.
        if (platform !== undefined)
          this.#deps.report(platform, `internal: ${error instanceof Error ? error.name : ''}`);
      });
  }

  #take({ next, effects }: Step): void {
    const before = this.#state;
    this.#state = next;
    this.#requestIds.ahead(before.turns, next.turns);
    // Before storage is asked, whose work would keep a message waiting.
    const sent = effects.map((effect) => this.#perform(effect));
    // What is handed on is stored at once: a restart continues from it.
    const isHandedOn = effects.some(({ type }) => type === 'offer' || type === 'read' || type === 'show');
    // So is a new turn: a background page that begins later finds the answer by it.
    const isBegun = next.turns.at(-1)?.id !== this.#saved.turns.at(-1)?.id;
    if (isHandedOn || isBegun || next.sent !== this.#saved.sent) void this.#saveAfter(sent);
    else this.#saveSoon();
    this.#setTick();
    const areSetAside = setAsideCount(next);
    if (areSetAside !== setAsideCount(before)) this.setAside.emit(areSetAside);
    for (const conversation of endedConversations(before, next)) this.ended.emit(conversation);
  }

  /** Resolves when storage may be asked: a message that waits for nothing is sent first. */
  async #perform(effect: TurnEffect): Promise<void> {
    switch (effect.type) {
      case 'offer':
        await this.#offerFirst(effect);
        break;
      case 'read':
        void this.#read(effect);
        break;
      case 'show':
        void this.#show(effect);
        break;
      case 'look':
        void this.#look(effect);
        break;
      case 'report':
        this.#deps.report(effect.platform, effect.what, effect.conversationId);
        break;
      default:
        effect satisfies never;
    }
  }

  /** Resolves when the message is on its way, or waits for its page. */
  #offerFirst(effect: Effect<'offer'>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#opinions.isWaitedFor(effect.answer)) resolve();
    void this.#offer(effect, resolve).finally(resolve);
    return promise;
  }

  async #offer({ turn, answer }: Effect<'offer'>, onSent: () => void): Promise<void> {
    const { tabs, queue, clientId, accountToName, planOf } = this.#deps;
    const { platform, conversationId, tabId } = turn;
    const shown = conversationId === null ? null : tabs.showing(platform, conversationId, tabId);
    const tab = shown ?? tabs.get(tabId);
    let taken: Taken | 'failed' = 'failed';
    try {
      const asked = [
        this.#opinions.of(turn, answer, tab),
        clientId(),
        this.#requestIds.of(turn, answer.messageId),
      ] as const;
      const [opinion, client, requestId] = await Promise.all(asked);
      const account = tab === null ? null : accountToName(tab);
      const { userMessageId } = turn;
      const plan = userMessageId === null ? undefined : planOf(platform, userMessageId);
      const message = finalMessage({ turn, answer, tab, opinion, account, clientId: client, requestId, plan });
      const added = queue.add(message);
      onSent();
      this.#opinions.checkUnasked(turn, answer, tab);
      taken = await added;
    } catch (error) {
      this.#deps.report(platform, `message_not_stored: ${error instanceof Error ? error.name : ''}`);
    }
    const turnId = turn.id;
    this.#on(taken === 'stored' ? { type: 'stored', turnId } : { type: 'not_stored', turnId, why: taken });
  }

  async #read({ turn, conversationId }: Effect<'read'>): Promise<void> {
    const tab = this.#deps.tabs.showing(turn.platform, conversationId, turn.tabId);
    if (turn.final !== null) this.#opinions.askAhead(turn, turn.final, tab);
    const reading = tab === null ? null : await this.#readBy(tab.tabId, turn.platform, conversationId);
    this.#on({ type: 'own_reading', turnId: turn.id, wasAsked: tab !== null, reading });
  }

  /** Asks the page in which the question was sent: only that one knows what the person did meanwhile. */
  async #show({ turn, conversationId }: Effect<'show'>): Promise<void> {
    const { tabs, pages } = this.#deps;
    const { id, namedId, seenIds, userMessageId: questionId, openedAt: since } = turn;
    const tab = tabs.get(turn.tabId);
    let answer: ShownAnswer = { isFinal: false, reason: 'other_page' };
    if (tab?.address.conversationId === conversationId) {
      const answerIds = namedId === null ? seenIds : [namedId, ...seenIds];
      const order = { conversationId, answerIds, questionId, since };
      answer = await pages
        .call(tab.tabId, 'show', order, SHOW_MS)
        .catch((): ShownAnswer => ({ isFinal: false, reason: 'page_not_ready' }));
    }
    this.#on({ type: 'shown', turnId: id, answer });
  }

  async #look({ turn }: Effect<'look'>): Promise<void> {
    const { tabs, pages } = this.#deps;
    const { platform, conversationId, tabId } = turn;
    const tab = (conversationId === null ? null : tabs.showing(platform, conversationId, tabId)) ?? tabs.get(tabId);
    if (tab === null) return;
    try {
      this.onPage(platform, tab.tabId, await pages.call(tab.tabId, 'look', {}, LOOK_MS));
    } catch {
      // A page that does not respond now reports its next change itself.
    }
  }

  async #readBy(tabId: number, platform: Platform, conversationId: string): Promise<SiteReading | null> {
    const { pages, report } = this.#deps;
    try {
      const order = { conversationId, timeoutMs: READ_MS };
      const outcome = await pages.call(tabId, 'read', order, READ_MS + CALL_MARGIN_MS);
      if (outcome.kind === 'failed') report(platform, `reading_failed: ${outcome.reason}`);
      else if (outcome.isChallenge || outcome.status !== 200) report(platform, `reading_failed: ${outcome.status}`);
      else return this.#site(platform)?.wire.readReading(outcome.body) ?? null;
    } catch {
      report(platform, 'reading_failed: no_response');
    }
    return null;
  }

  #site(platform: Platform): Site | undefined {
    return this.#deps.sites.find((site) => site.platform === platform);
  }

  #setTick(): void {
    this.#cancelTick();
    const due = nextDue(this.#state);
    if (due === null) return;
    const waitMs = Math.max(0, due - this.#deps.clock.now());
    this.#cancelTick = this.#deps.clock.after(waitMs, () => this.#on({ type: 'tick' }));
  }

  #saveSoon(): void {
    if (this.#cancelSave !== null || Object.keys(this.#unsaved()).length === 0) return;
    this.#cancelSave = this.#deps.clock.after(SAVE_MS, () => {
      this.#cancelSave = null;
      void this.#writes.run(() => this.#save());
    });
  }

  /** What storage does not have yet: the long list of sent messages only when it has changed. */
  #unsaved(): Record<string, unknown> {
    const { turns, sent } = this.#state;
    return {
      ...(turns !== this.#saved.turns && { [STORAGE_KEYS.turns]: turns }),
      ...(sent !== this.#saved.sent && { [STORAGE_KEYS.sent]: sent }),
    };
  }

  async #saveAfter(sent: readonly Promise<void>[]): Promise<void> {
    await Promise.allSettled(sent);
    await this.#writes.run(() => this.#save());
  }

  async #save(): Promise<void> {
    this.#cancelSave?.();
    this.#cancelSave = null;
    const unsaved = this.#unsaved();
    if (Object.keys(unsaved).length === 0) return;
    const before = this.#saved;
    this.#saved = this.#state;
    try {
      await this.#deps.storage.set(unsaved);
    } catch {
      // A full disk must not stop the capture; it is tried again with the next change.
      this.#saved = before;
    }
  }
}

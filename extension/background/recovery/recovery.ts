/** Watches the turns that the pages have open, and performs what the ladder says about one that does not end. */
import type { Platform } from '../../../schema/contracts/common.ts';
import { Serial } from '../../lib/serial.ts';
import type { PageLook } from '../../messages.ts';
import type { HelpedTurn } from '../../people-messages.ts';
import type { DecodedEvent } from '../../sites/decoder.ts';
import type { TrafficEvent } from '../traffic.ts';
import type { Climbed, LadderEffect, OpenTurn, Seen } from './ladder.ts';
import { afterProgress, isHelped, onSeen, onWake, openTurn, withinHour } from './ladder.ts';
import type { StoredRecovery } from './stored-recovery.ts';
import { MAX_TURNS, resumedTurn } from './stored-recovery.ts';

/** Progress of an answer moves its turn often; that is stored after this. */
const SAVE_MS = 5_000;

export interface RecoveryDeps {
  traffic: { on(listener: (event: TrafficEvent) => void): () => void };
  clock: { now(): number; after(delayMs: number, run: () => void): () => void };
  /** What a tab shows; rejects when its page does not respond. */
  look(tabId: number): Promise<PageLook>;
  tabs: {
    /** Whether the tab is still at the conversation. Its id may be that of any page by now. */
    isThere(turn: Pick<OpenTurn, 'platform' | 'tabId' | 'conversationId'>): Promise<boolean>;
    reload(tabId: number): Promise<void>;
  };
  /** Has the conversation read from its site, so that its newest answer is captured if it is final there. */
  reread(turn: Pick<OpenTurn, 'platform' | 'tabId' | 'conversationId'>): Promise<void>;
  /** Tabs in which a message is being sent. */
  busyTabs(): ReadonlySet<number>;
  /** Whether the person lets the extension work on that site. */
  isOn(platform: Platform): boolean;
  /** The pause of the whole system. */
  isPaused(): boolean;
  /** Which turns something is being done about now. */
  onHelped(turns: readonly HelpedTurn[]): void;
  /** `of`: the turn that it is about. */
  diagnostic(level: 'info' | 'warn', message: string, of?: OpenTurn): void;
  storage: { read(): Promise<StoredRecovery>; write(state: StoredRecovery): Promise<void> };
}

export interface Recovery {
  /** The answer of that conversation is over: it was captured, it ended otherwise, or a person wants nothing done. */
  over(platform: Platform, conversationId: string): void;
  /** A timer may have been lost with a suspended background page. */
  wake(): void;
  stop(): void;
}

type Change = 'progress' | 'end' | null;

/**
 * What an event says of the turn of its tab. A stream that breaks off leaves the turn open; whether an answer that is not
 * complete is the one of this turn, `turns` knows and says by `over`.
 */
function changeOf(event: DecodedEvent): Change {
  switch (event.type) {
    case 'accepted':
    case 'progress':
    case 'handoff':
      return 'progress';
    case 'final':
      return event.history ? null : 'end';
    case 'refused':
    case 'limit':
    case 'error':
    case 'challenge':
    case 'signed_out':
      return 'end';
    case 'incomplete':
    case 'opaque':
    case 'account':
    case 'reading':
    case 'drift':
      return null;
    default:
      return event satisfies never;
  }
}

function conversationOf(event: DecodedEvent): string | null {
  if ('conversationId' in event) return event.conversationId;
  return 'answer' in event ? (event.answer?.conversationId ?? null) : null;
}

class TurnRecovery implements Recovery {
  readonly #deps: RecoveryDeps;
  /** By tab. */
  readonly #turns = new Map<number, OpenTurn>();
  /** By tab: the request of a question whose conversation has no lasting id yet. */
  readonly #unnamed = new Map<number, string>();
  /** Of each conversation, when its page was loaded again. */
  readonly #reloads = new Map<string, number[]>();
  readonly #stopListening: () => void;
  readonly #steps = new Serial();
  readonly #writes = new Serial();
  #cancelTimer: () => void = () => undefined;
  #cancelSave: (() => void) | null = null;

  /** Events wait until what an earlier background page has left is read. */
  constructor(deps: RecoveryDeps) {
    this.#deps = deps;
    void this.#steps.run(() => this.#load()).catch(() => deps.diagnostic('warn', 'quiet turns could not be read'));
    this.#stopListening = deps.traffic.on((event) => void this.#steps.run(() => this.#onTraffic(event)));
  }

  over(platform: Platform, conversationId: string): void {
    void this.#steps.run(() => this.#ended(platform, conversationId));
  }

  wake(): void {
    void this.#steps.run(() => this.#wake());
  }

  async #load(): Promise<void> {
    const { turns, reloads } = await this.#deps.storage.read();
    const now = this.#deps.clock.now();
    for (const turn of turns) this.#turns.set(turn.tabId, resumedTurn(turn, now));
    for (const { conversationId, times } of reloads) this.#reloads.set(conversationId, times);
    this.#schedule();
  }

  #ended(platform: Platform, conversationId: string): void {
    for (const turn of [...this.#turns.values()]) {
      if (turn.platform === platform && turn.conversationId === conversationId) this.#turns.delete(turn.tabId);
    }
    this.#saveNow();
    this.#schedule();
  }

  stop(): void {
    this.#stopListening();
    this.#cancelTimer();
    this.#cancelSave?.();
    this.#turns.clear();
    this.#unnamed.clear();
  }

  #onTraffic(event: TrafficEvent): void {
    if (event.tabId < 0 || !this.#deps.isOn(event.platform)) return;
    const now = this.#deps.clock.now();
    if (event.type === 'send') this.#sent(event, now);
    else if (event.type === 'decoded') this.#decoded(event, event.event, now);
    else return;
    this.#schedule();
  }

  /** A conversation without a lasting id would be lost by a reload: its turn is watched once it has one. */
  #sent(event: Extract<TrafficEvent, { type: 'send' }>, now: number): void {
    const { tabId, requestId, send } = event;
    this.#turns.delete(tabId);
    this.#unnamed.delete(tabId);
    if (send.conversationId !== null) {
      this.#opened(event, send.conversationId, now);
      return;
    }
    this.#saveNow();
    if (send.isTemporary) return;
    this.#unnamed.set(tabId, requestId);
    const [oldest] = this.#unnamed.keys();
    if (this.#unnamed.size > MAX_TURNS && oldest !== undefined) this.#unnamed.delete(oldest);
  }

  #opened({ platform, tabId }: TrafficEvent, conversationId: string, now: number): void {
    this.#unnamed.delete(tabId);
    if (this.#turns.size < MAX_TURNS) this.#turns.set(tabId, openTurn({ platform, tabId, conversationId }, now));
    this.#saveNow();
  }

  #decoded(source: TrafficEvent, event: DecodedEvent, now: number): void {
    const { tabId, requestId } = source;
    const conversationId = conversationOf(event);
    const change = changeOf(event);
    // The tab may still get an earlier answer, of the conversation that it showed before.
    if (this.#unnamed.get(tabId) === requestId) {
      if (change === 'end') this.#unnamed.delete(tabId);
      else if (change === 'progress' && conversationId !== null) this.#opened(source, conversationId, now);
      return;
    }
    const turn = this.#turns.get(tabId);
    if (!turn || (conversationId !== null && conversationId !== turn.conversationId)) return;
    if (change === 'end') {
      this.#turns.delete(tabId);
      this.#saveNow();
    } else if (change === 'progress') {
      this.#turns.set(tabId, afterProgress(turn, now));
      this.#cancelSave ??= this.#deps.clock.after(SAVE_MS, () => this.#saveNow());
    }
  }

  /** After every change of the turns. */
  #schedule(): void {
    const { clock, onHelped } = this.#deps;
    const helped = [...this.#turns.values()].filter(isHelped);
    onHelped(helped.map(({ platform, conversationId }) => ({ platform, conversationId })));
    this.#cancelTimer();
    const times = [...this.#turns.values()].flatMap(({ wakeAt }) => (wakeAt === null ? [] : [wakeAt]));
    if (times.length === 0) return;
    this.#cancelTimer = clock.after(Math.max(0, Math.min(...times) - clock.now()), () => this.wake());
  }

  #wake(): void {
    const { clock, isOn } = this.#deps;
    const now = clock.now();
    for (const turn of [...this.#turns.values()]) {
      if (isOn(turn.platform)) this.#climb(turn, onWake(turn, now));
      else this.#climb(turn, { next: null, effects: [] });
    }
    this.#schedule();
  }

  #climb(turn: OpenTurn, { next, effects }: Climbed): void {
    const { tabId } = turn;
    if (next === null) this.#turns.delete(tabId);
    else this.#turns.set(tabId, next);
    // A reload stores the state itself, before it is made.
    if (!effects.some(({ type }) => type === 'reload')) this.#saveNow();
    for (const effect of effects) void this.#perform(turn, next, effect);
  }

  async #perform(of: OpenTurn, turn: OpenTurn | null, effect: LadderEffect): Promise<void> {
    const { tabs, reread, diagnostic } = this.#deps;
    if (effect.type === 'report') return diagnostic(turn === null ? 'warn' : 'info', effect.message, of);
    if (turn === null) return;
    if (effect.type === 'look') return this.#look(turn);
    const act = effect.type === 'read' ? reread(turn) : this.#reload(turn, tabs);
    await act.catch((error: unknown) => diagnostic('warn', `a quiet turn could not be helped: ${String(error)}`));
  }

  async #look(turn: OpenTurn): Promise<void> {
    const seen = await this.#see(turn);
    await this.#steps.run(() => this.#onSeen(turn, seen));
  }

  #onSeen(turn: OpenTurn, seen: Seen): void {
    const { clock, busyTabs, isOn, isPaused } = this.#deps;
    // Progress or a new turn came meanwhile, or the site was turned off.
    if (this.#turns.get(turn.tabId) !== turn || !isOn(turn.platform)) return;
    const now = clock.now();
    const reloads = withinHour(this.#reloads.get(turn.conversationId) ?? [], now).length;
    this.#climb(turn, onSeen(turn, seen, reloads, busyTabs().has(turn.tabId) || isPaused(), now));
    this.#schedule();
  }

  async #see(turn: OpenTurn): Promise<Seen> {
    try {
      return { type: 'page', look: await this.#deps.look(turn.tabId) };
    } catch {
      const isThere = await this.#deps.tabs.isThere(turn).catch(() => false);
      return { type: isThere ? 'unresponsive' : 'gone' };
    }
  }

  async #reload({ tabId, conversationId }: OpenTurn, tabs: RecoveryDeps['tabs']): Promise<void> {
    const now = this.#deps.clock.now();
    this.#reloads.set(conversationId, [...withinHour(this.#reloads.get(conversationId) ?? [], now), now]);
    for (const [id, times] of this.#reloads) if (withinHour(times, now).length === 0) this.#reloads.delete(id);
    // What cannot be stored is not done, as a new background page would do it again.
    await this.#save();
    // A person may have it left alone meanwhile.
    if (this.#turns.has(tabId)) await tabs.reload(tabId);
  }

  /** What a failure loses is stored with the next change. */
  #saveNow(): void {
    void this.#save().catch(() => undefined);
  }

  #save(): Promise<void> {
    this.#cancelSave?.();
    this.#cancelSave = null;
    const reloads = [...this.#reloads].map(([conversationId, times]) => ({ conversationId, times }));
    const state = { turns: [...this.#turns.values()], reloads };
    return this.#writes.run(() => this.#deps.storage.write(state));
  }
}

export function startRecovery(deps: RecoveryDeps): Recovery {
  return new TurnRecovery(deps);
}

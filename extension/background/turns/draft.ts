/** The changes that one event makes to the turns. The state that it begins with is not changed. */
import type { Platform } from '../../../schema/contracts/common.ts';
import { textKey } from '../../lib/text-key.ts';
import type { SeenSend } from '../../sites/facts.ts';
import type { Step, TurnEffect, TurnRules } from './events.ts';
import type { FinalAnswer, Turn, TurnsState } from './turn.ts';
import { MAX_SEEN, MAX_SENT, MAX_TURNS, sentKey } from './turn.ts';

export interface Opening {
  platform: Platform;
  tabId: number;
  requestId: string | null;
  /** What the turn is called; no other turn has this name. */
  id: string;
  /** Null when none was seen. */
  send?: SeenSend | null;
  conversationId: string | null;
}

export class Draft {
  readonly now: number;
  readonly rules: TurnRules;
  readonly effects: TurnEffect[] = [];
  #turns: Turn[];
  #sent: string[];

  constructor(state: TurnsState, now: number, rules: TurnRules) {
    this.#turns = state.turns;
    this.#sent = state.sent;
    this.now = now;
    this.rules = rules;
  }

  get turns(): readonly Turn[] {
    return this.#turns;
  }

  result(): Step {
    return { next: { turns: this.#turns, sent: this.#sent }, effects: this.effects };
  }

  wasSent(turn: Turn, messageId: string): boolean {
    return this.#sent.includes(sentKey(turn, messageId));
  }

  report({ platform, conversationId }: Pick<Turn, 'platform' | 'conversationId'>, what: string): void {
    this.effects.push({ type: 'report', platform, what, conversationId });
  }

  open({ platform, tabId, requestId, id, send = null, conversationId }: Opening): Turn {
    const kind = this.rules.addressOf(tabId)?.kind;
    const turn: Turn = {
      id,
      platform,
      tabId,
      requestId,
      conversationId,
      isTemporary: send?.isTemporary ?? kind === 'temporary',
      organizationId: send?.organizationId ?? null,
      userMessageId: send?.userMessageId ?? null,
      userTextKey: send?.text ? textKey(send.text.trim()) : null,
      followsId: send?.followsId,
      namedId: send?.assistantMessageId ?? null,
      seenIds: [],
      phase: 'streaming',
      hasOwnStream: false,
      reading: 'none',
      looks: 0,
      isOnShellPage: kind === 'new' || kind === 'provisional',
      openedAt: this.now,
      activeAt: this.now,
      phaseAt: this.now,
      settledAt: null,
      final: null,
      offerAt: null,
      failures: 0,
    };
    this.#turns = [...this.#turns.filter((other) => other.id !== id), turn];
    this.#makeRoom();
    return turn;
  }

  change(turn: Turn, change: Partial<Turn>): Turn {
    const moved = change.phase !== undefined && change.phase !== turn.phase;
    const next = { ...turn, ...change, ...(moved && { phaseAt: this.now }) };
    this.#turns = this.#turns.map((other) => (other.id === turn.id ? next : other));
    return next;
  }

  close(turn: Turn): void {
    this.#turns = this.#turns.filter(({ id }) => id !== turn.id);
  }

  /** The answer of the turn was seen in progress. */
  sees(turn: Turn, messageId: string): Turn {
    const seenIds = turn.seenIds.includes(messageId) ? turn.seenIds : [...turn.seenIds, messageId].slice(-MAX_SEEN);
    return this.change(turn, { seenIds, activeAt: this.now, settledAt: null });
  }

  /** The answer is final. `isRead`: by a reading, so that its text needs no confirmation. */
  finish(turn: Turn, answer: Omit<FinalAnswer, 'at' | 'source'>, isRead: boolean): void {
    if (this.wasSent(turn, answer.messageId)) {
      this.close(turn);
      return;
    }
    const final = { ...answer, at: turn.final?.at ?? this.now, source: 'network' as const };
    const canRead = turn.conversationId !== null && !turn.isTemporary && turn.reading !== 'done';
    if (!isRead && canRead && this.rules.confirmsByReading(turn.platform)) {
      this.ask(this.change(turn, { phase: 'confirming', final }));
    } else if (turn.conversationId === null && !turn.isTemporary) {
      this.change(turn, { phase: 'unbound', final });
    } else {
      this.offer(this.change(turn, { final }));
    }
  }

  /** The answer is final by what its page shows: its blocks only. */
  finishByPage(turn: Turn, answer: Pick<FinalAnswer, 'messageId' | 'text'>): void {
    if (this.wasSent(turn, answer.messageId)) this.close(turn);
    else this.offer(this.change(turn, { final: { ...answer, at: this.now, source: 'dom' } }));
  }

  /** Hands the final message to the queue. */
  offer(turn: Turn): void {
    if (turn.final === null) return;
    const next = this.change(turn, { phase: 'offered', offerAt: null });
    this.effects.push({ type: 'offer', turn: next, answer: turn.final });
  }

  /** The queue has the message. */
  stored(turn: Turn): void {
    this.close(turn);
    if (turn.final === null) return;
    this.#sent = [...this.#sent, sentKey(turn, turn.final.messageId)].slice(-MAX_SENT);
  }

  /** Reads the conversation, unless that was done for this turn already. */
  ask(turn: Turn): void {
    const { conversationId } = turn;
    if (turn.reading !== 'none' || conversationId === null || turn.isTemporary) return;
    const next = this.change(turn, { reading: 'asked' });
    this.effects.push({ type: 'read', turn: next, conversationId });
  }

  /** The stream is lost: a reading decides, when the page shows that the answer has ended. */
  wait(turn: Turn): void {
    if (turn.phase !== 'streaming') return;
    this.lookAt(this.change(turn, { phase: 'waiting', settledAt: null }));
  }

  /** Asks what the page shows now, as it may have reported its last change already. */
  lookAt(turn: Turn): void {
    this.effects.push({ type: 'look', turn });
  }

  /**
   * The site with the most turns makes room, so that a page with many takes none from another site. A turn whose final
   * text is there is never closed for another; where all have theirs, the new turn is not kept.
   */
  #makeRoom(): void {
    if (this.#turns.length <= MAX_TURNS) return;
    const bySite = [...Map.groupBy(this.#turns, ({ platform }) => platform).values()];
    const open = bySite.sort((a, b) => b.length - a.length).map((turns) => turns.find(({ final }) => final === null));
    const oldest = open.find((turn) => turn !== undefined);
    if (oldest === undefined) return;
    this.close(oldest);
    this.report(oldest, 'too_many_turns');
  }
}

/** Turns as a test drives them: events in, effects out, with the queue and the readings in the hands of the test. */
import type { TurnEffect, TurnEvent } from '../../../extension/background/turns/events.ts';
import { nextDue, resume, step } from '../../../extension/background/turns/step.ts';
import type { TurnsState } from '../../../extension/background/turns/turn.ts';
import { NO_TURNS, SentSchema, TurnsSchema } from '../../../extension/background/turns/turn.ts';
import type { PageLook } from '../../../extension/messages.ts';
import type { DecodedEvent } from '../../../extension/sites/decoder.ts';
import type { PageAddress, RequestRole, SeenSend, SiteMessage } from '../../../extension/sites/facts.ts';
import { SEND } from './test-site.ts';

export const C1: PageAddress = { kind: 'conversation', conversationId: 'c1' };

export function siteMessage(role: SiteMessage['role'], id: string, change: Partial<SiteMessage> = {}): SiteMessage {
  return { role, id, parentId: null, text: `text of ${id}`, state: 'final', ...change };
}

export class TurnScene {
  state: TurnsState = NO_TURNS;
  now = 1_000_000;
  readonly effects: TurnEffect[] = [];
  confirmsByReading = false;
  address: PageAddress | null = C1;

  get rules() {
    return { confirmsByReading: () => this.confirmsByReading, addressOf: () => this.address };
  }

  get offers(): { messageId: string; text: string; conversationId: string | null }[] {
    return this.effects.flatMap((effect) =>
      effect.type === 'offer'
        ? { messageId: effect.answer.messageId, text: effect.answer.text, conversationId: effect.turn.conversationId }
        : [],
    );
  }

  get reads(): string[] {
    return this.effects.flatMap((effect) => (effect.type === 'read' ? effect.conversationId : []));
  }

  get reports(): string[] {
    return this.effects.flatMap((effect) => (effect.type === 'report' ? effect.what : []));
  }

  get phases(): string[] {
    return this.state.turns.map(({ phase }) => phase);
  }

  on(event: TurnEvent): this {
    const { next, effects } = step(this.state, event, this.now, this.rules);
    this.state = next;
    this.effects.push(...effects);
    return this;
  }

  send(send: Partial<SeenSend> = {}, requestId = 'r1'): this {
    const full = { ...SEND, conversationId: 'c1', userMessageId: 'u1', ...send };
    const source = { platform: 'claude', tabId: 1, requestId, role: 'send', at: this.now } as const;
    return this.on({ type: 'traffic', event: { ...source, type: 'send', send: full } });
  }

  decoded(event: DecodedEvent, { requestId = 'r1', role = 'send' as RequestRole, tabId = 1 } = {}): this {
    const source = { platform: 'claude', tabId, requestId, role, at: this.now } as const;
    return this.on({ type: 'traffic', event: { ...source, type: 'decoded', event } });
  }

  status(status: number, { isChallenge = false, requestId = 'r1' } = {}): this {
    const source = { platform: 'claude', tabId: 1, requestId, role: 'send', at: this.now } as const;
    return this.on({ type: 'traffic', event: { ...source, type: 'status', status, isChallenge, retryAfterMs: null } });
  }

  ended(error: string | null, requestId = 'r1'): this {
    const source = { platform: 'claude', tabId: 1, requestId, role: 'send', at: this.now } as const;
    return this.on({ type: 'traffic', event: { ...source, type: 'ended', error } });
  }

  reading(messages: readonly SiteMessage[], conversationId = 'c1'): this {
    return this.decoded(
      { type: 'reading', reading: { conversationId, messages } },
      { requestId: 'read', role: 'read' },
    );
  }

  page(look: Partial<Pick<PageLook, 'address' | 'isAnswering' | 'lastAnswer'>> = {}, tabId = 1): this {
    const shown = { address: C1, isAnswering: false, lastAnswer: { id: null, isFinished: true, chars: 1 } };
    return this.on({ type: 'page', platform: 'claude', tabId, look: { ...shown, ...look } });
  }

  /** Our own reading, which the newest `read` effect asked for, has ended. */
  ownReading(messages: readonly SiteMessage[] | null, wasAsked = true): this {
    const asked = this.effects.findLast((effect) => effect.type === 'read');
    if (asked === undefined) throw new Error('nothing was to be read');
    const reading = messages === null ? null : { conversationId: asked.conversationId, messages };
    return this.on({ type: 'own_reading', turnId: asked.turn.id, wasAsked, reading });
  }

  /** The queue takes every message that was offered. */
  store(): this {
    for (const { id, phase } of this.state.turns) if (phase === 'offered') this.on({ type: 'stored', turnId: id });
    return this;
  }

  /** Time passes, with a tick whenever one is due. */
  wait(ms: number): this {
    const end = this.now + ms;
    for (let due = nextDue(this.state); due !== null && due <= end; due = nextDue(this.state)) {
      this.now = Math.max(this.now, due);
      const before = this.state;
      this.on({ type: 'tick' });
      if (this.state === before) break;
    }
    this.now = end;
    return this;
  }

  /** The background page ends and starts again with what is in storage. */
  restart(): this {
    const { turns, sent } = structuredClone(this.state);
    const stored = { turns: TurnsSchema.parse(turns), sent: SentSchema.parse(sent) };
    const { next, effects } = resume(stored, this.now, this.rules);
    this.state = next;
    this.effects.push(...effects);
    return this;
  }
}

type Answer = { conversationId?: string | null; messageId?: string; userMessageId?: string | null };

export function answerOf({ conversationId = 'c1', messageId = 'a1', userMessageId = 'u1' }: Answer = {}) {
  return { conversationId, messageId, userMessageId };
}

export function final(answer: Answer = {}, { text = 'the answer', history = false } = {}): DecodedEvent {
  return { type: 'final', answer: answerOf(answer), text, history };
}

export function progress(answer: Answer = {}): DecodedEvent {
  return { type: 'progress', answer: answerOf(answer), chars: 3 };
}

export function incomplete(reason: string, answer: Answer | null = {}): DecodedEvent {
  return { type: 'incomplete', answer: answer && answerOf(answer), reason };
}

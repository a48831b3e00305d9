/**
 * Decodes the response to a send. It holds the whole answer again and again, so only the last text counts. The answer is
 * final when the site marks it complete and the response comes to its own end; a response that ends without the mark is
 * incomplete, however whole its text looks.
 */
import type { AnswerRef, DecodedEvent, Decoder } from '../decoder.ts';
import type { SeenSend } from '../facts.ts';
import type { AnswerState } from './answer-state.ts';
import { NOTHING_YET, withPart } from './answer-state.ts';
import { CONTEXT_CODE, ERROR_NAMES, FOLLOW_UP_CODE, LIMIT_CODE, REJECTED_STATUS } from './endpoints.ts';
import { LineReader, STRANGE_LINE } from './lines.ts';
import { DATA_PART, PART, pick, TRAILER_PART } from './positions.ts';

export class StreamDecoder implements Decoder {
  readonly #lines = new LineReader();
  readonly #send: SeenSend | null;
  readonly #drift = new Set<string>();
  #state: AnswerState = NOTHING_YET;
  #isSettled = false;

  constructor(send: SeenSend | null) {
    this.#send = send;
  }

  push(bytes: Uint8Array): DecodedEvent[] {
    if (this.#isSettled) return [];
    return this.#take(this.#lines.push(bytes));
  }

  end(isBroken: boolean): DecodedEvent[] {
    if (this.#isSettled) return [];
    const events = isBroken ? [] : this.#take(this.#lines.end());
    if (!this.#isSettled) events.push(...this.#settle(isBroken));
    return events;
  }

  #take(parts: readonly unknown[]): DecodedEvent[] {
    const events: DecodedEvent[] = [];
    for (const part of parts) {
      if (this.#isSettled) return events;
      if (part === STRANGE_LINE) events.push(...this.#report(['line']));
      const kind = pick(part, PART.kind);
      if (kind === DATA_PART) events.push(...this.#takeData(part));
      if (kind === TRAILER_PART) events.push(...this.#settle(false));
    }
    if (this.#lines.isTooLong) {
      this.#isSettled = true;
      events.push({ type: 'opaque', reason: 'line_too_long' });
    }
    return events;
  }

  #takeData(part: unknown): DecodedEvent[] {
    const before = this.#state;
    const now = withPart({ ...before, strange: [] }, part);
    this.#state = now;
    const events = this.#report(now.strange);
    const answer = this.#answer();
    if (now.turnId !== null && before.turnId === null) {
      events.push({ type: 'accepted', conversationId: this.#conversationId(), userMessageId: now.turnId });
    }
    if (answer && now.text !== before.text) events.push({ type: 'progress', answer, chars: now.text.length });
    return events;
  }

  /** The response has come to its own end, or was broken off. */
  #settle(isBroken: boolean): DecodedEvent[] {
    this.#isSettled = true;
    const { isComplete, text, errorCode } = this.#state;
    const answer = this.#answer();
    if (answer && isComplete && !isBroken)
      return [{ type: 'final', answer, text, history: false }, ...this.#afterwards()];
    const failure = this.#failure();
    if (!answer && failure) return [failure];
    const reason = errorCode === null ? 'no_end_mark' : errorName(errorCode);
    return [{ type: 'incomplete', answer, reason }, ...(failure ? [failure] : [])];
  }

  /** An error after a complete answer takes nothing from it. */
  #afterwards(): DecodedEvent[] {
    const { errorCode } = this.#state;
    if (errorCode === null || errorCode === CONTEXT_CODE) return [];
    return errorCode === LIMIT_CODE ? [limit()] : this.#report([`${errorName(errorCode)}_after_answer`]);
  }

  #failure(): DecodedEvent | null {
    const { errorCode, status } = this.#state;
    if (errorCode === LIMIT_CODE) return limit();
    if (errorCode === FOLLOW_UP_CODE) return this.#refused('follow_up_refused');
    if (errorCode !== null) return { type: 'error', reason: errorName(errorCode) };
    return status === REJECTED_STATUS ? this.#refused('rejected') : null;
  }

  #refused(reason: string): DecodedEvent {
    return { type: 'refused', conversationId: this.#conversationId(), userMessageId: this.#state.turnId, reason };
  }

  #answer(): AnswerRef | null {
    const { answerId, turnId } = this.#state;
    if (answerId === null) return null;
    return { conversationId: this.#conversationId(), messageId: answerId, userMessageId: turnId };
  }

  /** A temporary conversation has an id on the wire, which leads nowhere. */
  #conversationId(): string | null {
    if (this.#send?.isTemporary) return null;
    return this.#state.conversationId ?? this.#send?.conversationId ?? null;
  }

  /** Each kind of drift once. */
  #report(whats: readonly string[]): DecodedEvent[] {
    const fresh = whats.filter((what) => !this.#drift.has(what));
    for (const what of fresh) this.#drift.add(what);
    return fresh.map((what) => ({ type: 'drift', what: `gemini_${what}` }));
  }
}

function limit(): DecodedEvent {
  return { type: 'limit', resetsInMs: null, resetsAt: null, reason: 'usage_limit' };
}

function errorName(code: number): string {
  return ERROR_NAMES[code] ?? `code_${code}`;
}

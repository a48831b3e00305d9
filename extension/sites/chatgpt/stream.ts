/**
 * The stream of one turn, from server-sent events to what they mean. It gives one conclusion: `final`, `incomplete`,
 * `handoff`, `opaque` or `error`; after it nothing is read. An answer is final by three marks together: the message is
 * finished, it ends the turn, and the stream says that it is complete. A stream that only ends proves nothing.
 */
import type { SseEvent } from '../../lib/sse.ts';
import { SseReader } from '../../lib/sse.ts';
import type { AnswerRef, DecodedEvent, Decoder } from '../decoder.ts';
import type { ResponseHead } from '../facts.ts';
import { withoutCitations } from './citations.ts';
import type { Json, JsonObject } from './delta.ts';
import { DeltaReducer } from './delta.ts';
import { conversationIdOf } from './endpoints.ts';
import type { Message } from './message.ts';
import { answerState, isFromPerson, MessageSchema, mayBeAnswer, textOf } from './message.ts';
import { siteText } from './refusal.ts';

const MAX_ANSWER_CHARS = 1024 * 1024;
/** What a message may be given in all, over all of its changes. */
const MAX_KEPT_CHARS = 4 * MAX_ANSWER_CHARS;
const MAX_PARTS = 100;
/** Progress is reported when an answer begins and each time that it has grown by this much. */
const PROGRESS_STEP_CHARS = 256;

type Frame = { [key: string]: Json };

export class TurnStream implements Decoder {
  readonly #head: ResponseHead;
  /** The conversation never gets a lasting id, so none is reported. */
  readonly #isTemporary: boolean;
  readonly #sse = new SseReader();
  readonly #reducer = new DeltaReducer();
  #events: DecodedEvent[] = [];
  #isConcluded = false;
  #conversationId: string | null;
  #userMessageId: string | null;
  #isAccepted = false;
  /** The last message that may be the answer and that another message has followed. */
  #earlier: Message | null = null;
  #isComplete = false;
  #isChoice = false;
  #hasFrames = false;
  #progress: { id: string; chars: number } | null = null;

  constructor(head: ResponseHead) {
    this.#head = head;
    this.#isTemporary = head.send?.isTemporary === true;
    this.#conversationId = head.send?.conversationId ?? null;
    this.#userMessageId = head.send?.userMessageId ?? null;
  }

  push(bytes: Uint8Array): DecodedEvent[] {
    if (this.#isConcluded) return [];
    for (const event of this.#sse.push(bytes)) {
      if (this.#isConcluded) break;
      this.#take(event);
    }
    if (this.#sse.fault) this.#conclude({ type: 'opaque', reason: this.#sse.fault });
    return this.#taken();
  }

  end(isBroken: boolean): DecodedEvent[] {
    if (!this.#hasFrames && !isBroken) this.#conclude({ type: 'opaque', reason: 'no_frames' });
    this.#incomplete('no_end_mark');
    return this.#taken();
  }

  #taken(): DecodedEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #conclude(event: DecodedEvent): void {
    if (this.#isConcluded) return;
    this.#isConcluded = true;
    this.#events.push(event);
  }

  #drift(what: string): void {
    if (!this.#isConcluded) this.#events.push({ type: 'drift', what });
  }

  #unreadable(what: string): void {
    this.#drift(what);
    this.#conclude({ type: 'opaque', reason: what });
  }

  #take({ name, data }: SseEvent): void {
    if (data === '[DONE]') {
      this.#hasFrames = true;
      this.#done();
      return;
    }
    let frame: unknown;
    try {
      frame = JSON.parse(data);
    } catch {
      this.#unreadable('frame_is_not_json');
      return;
    }
    this.#hasFrames = true;
    if (name === 'delta_encoding') {
      if (frame !== 'v1') this.#unreadable('delta_encoding');
      return;
    }
    if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) this.#drift('frame_is_not_an_object');
    else this.#takeFrame(frame as Frame, name, data.length);
  }

  #takeFrame(frame: Frame, name: string, chars: number): void {
    this.#learnConversation(frame.conversation_id);
    const failure = frame.error ?? frame.error_code ?? frame.detail;
    if (name !== 'delta' && failure != null && failure !== false) this.#fail(failure);
    else if (name !== 'delta' && typeof frame.type === 'string') this.#takeTyped(frame, frame.type);
    else if (name !== 'delta' && frame.message !== undefined) this.#takeWhole(frame.message, chars);
    else if ('v' in frame || 'o' in frame || 'p' in frame) this.#takeDelta(frame, chars);
    else this.#drift('frame_of_unknown_kind');
  }

  #takeTyped(frame: Frame, type: string): void {
    switch (type) {
      case 'input_message': {
        const message = MessageSchema.safeParse(frame.input_message).data;
        if (message?.author.role === 'user') this.#accept(message.id);
        break;
      }
      case 'num_variants_in_stream':
        this.#isChoice ||= Object.values(frame).some((value) => typeof value === 'number' && value > 1);
        break;
      case 'stream_handoff':
        this.#acceptSend();
        this.#conclude({ type: 'handoff', conversationId: this.#shownConversation() });
        break;
      case 'message_stream_complete':
        this.#isComplete = true;
        this.#concludeFinal();
        break;
      default:
      // Titles, markers, moderation and everything else: none of it decides about the answer.
    }
  }

  /** A frame of the older encoding: the whole message as it is now. */
  #takeWhole(message: Json | undefined, chars: number): void {
    if (typeof message !== 'object' || message === null || Array.isArray(message)) return;
    const before = this.#reducer.message;
    this.#reducer.begin(message, chars);
    this.#changed(before);
  }

  #takeDelta(delta: Frame, chars: number): void {
    const value = delta.v;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      this.#learnConversation(value.conversation_id);
      if (value.message !== undefined && value.error != null) this.#fail(value.error);
    }
    const before = this.#reducer.message;
    const fault = this.#reducer.apply(delta, chars);
    if (fault === null) this.#changed(before);
    else this.#unreadable(fault);
  }

  /** The current message has changed, or another one has followed `before`, which stays what it is then. */
  #changed(before: JsonObject | null): void {
    if (this.#reducer.keptChars > MAX_KEPT_CHARS) this.#conclude({ type: 'opaque', reason: 'message_too_large' });
    if (before !== this.#reducer.message) {
      if (!this.#current()) this.#drift('message');
      const earlier = before?.id === this.#reducer.message?.id ? null : messageOf(before);
      if (earlier && mayBeAnswer(earlier)) this.#earlier = earlier;
    }
    this.#look();
  }

  #current(): Message | null {
    return messageOf(this.#reducer.message);
  }

  /** Looks at the message after a change. A text is not joined for this, only measured. */
  #look(): void {
    const { message } = this.#reducer;
    const parts = (message?.content as { parts?: Json } | undefined)?.parts;
    const chars = Array.isArray(parts) ? partsLength(parts) : 0;
    if (chars > MAX_ANSWER_CHARS || (Array.isArray(parts) && parts.length > MAX_PARTS)) {
      this.#conclude({ type: 'opaque', reason: 'answer_too_large' });
    }
    if (this.#isConcluded) return;
    const isKnown = this.#progress !== null && this.#progress.id === message?.id;
    if (isKnown && this.#progress && chars < this.#progress.chars + PROGRESS_STEP_CHARS) return;
    const current = this.#current();
    if (!current) return;
    if (isFromPerson(current)) this.#accept(current.id);
    if (current.content.content_type === 'system_error') this.#fail(textOf(current));
    if (!mayBeAnswer(current) || this.#isConcluded) return;
    this.#acceptSend();
    this.#progress = { id: current.id, chars };
    this.#events.push({ type: 'progress', answer: this.#refOf(current), chars });
  }

  #done(): void {
    this.#isComplete = true;
    this.#concludeFinal();
    this.#incomplete('no_answer');
  }

  #answer(): Message | null {
    const current = this.#current();
    return current && mayBeAnswer(current) ? current : this.#earlier;
  }

  #concludeFinal(): void {
    const answer = this.#answer();
    if (!answer || this.#isChoice || this.#head.send?.kind === 'continue') return;
    if (answerState(answer).state !== 'final') return;
    const { text, isMarkedCode } = withoutCitations(textOf(answer));
    if (isMarkedCode) this.#drift('citation_in_code');
    this.#conclude({ type: 'final', answer: this.#refOf(answer), text, history: false });
  }

  #incomplete(otherwise: string): void {
    const answer = this.#answer();
    const ref = answer && this.#refOf(answer);
    this.#conclude({ type: 'incomplete', answer: ref, reason: this.#reasonOf(answer, otherwise) });
  }

  #reasonOf(answer: Message | null, otherwise: string): string {
    if (this.#isChoice) return 'choice';
    if (!answer) return otherwise;
    const state = answerState(answer);
    if (state.state === 'incomplete' && this.#isComplete) return state.reason;
    if (state.state === 'incomplete' && answer.metadata?.finish_details) return state.reason;
    // The rest of an answer that was cut; its beginning is another message.
    if (this.#head.send?.kind === 'continue' && this.#isComplete) return 'continued';
    return 'no_end_mark';
  }

  #fail(failure: Json): void {
    this.#conclude({ type: 'error', reason: siteText(failure) });
  }

  #learnConversation(value: unknown): void {
    this.#conversationId ??= conversationIdOf(value);
  }

  #shownConversation(): string | null {
    return this.#isTemporary ? null : this.#conversationId;
  }

  /** The site goes to work on the send of this request only when it has taken its message. */
  #acceptSend(): void {
    const { send } = this.#head;
    if (send?.userMessageId && (send.kind === 'message' || send.kind === 'edit')) this.#accept(send.userMessageId);
  }

  #accept(userMessageId: string): void {
    if (this.#isAccepted || this.#isConcluded) return;
    this.#isAccepted = true;
    this.#userMessageId = userMessageId;
    this.#events.push({ type: 'accepted', conversationId: this.#shownConversation(), userMessageId });
  }

  #refOf({ id }: Message): AnswerRef {
    return { conversationId: this.#shownConversation(), messageId: id, userMessageId: this.#userMessageId };
  }
}

function messageOf(kept: JsonObject | null): Message | null {
  return kept && (MessageSchema.safeParse(kept).data ?? null);
}

function partsLength(parts: readonly Json[]): number {
  let length = 0;
  for (const part of parts) if (typeof part === 'string') length += part.length + 1;
  return length;
}

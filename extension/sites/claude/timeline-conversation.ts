/**
 * Follows one conversation through the updates of a timeline, and says what has become of its messages.
 *
 * An answer is final when its message is complete with a stop reason that means so, and the conversation is idle. Nothing
 * follows from the end of a stream: it is closed every few seconds and opened again. An answer is chosen by its id, never
 * as the last one: a divider, an empty message of the assistant after an answer, marks where old messages were summarised.
 */
import type { AnswerRef, DecodedEvent } from '../decoder.ts';
import type { ConversationUpdate, MessageChange, Status, TimelineEvent } from './conversation-update.ts';
import { isCompleteStop } from './stop-reasons.ts';
import { TimelineTexts } from './timeline-texts.ts';

const MAX_MESSAGES = 50_000;

interface Message extends Omit<MessageChange, 'id'> {
  /** It was complete when it was first seen, so it may be an old one. */
  isHistory: boolean;
  /** All of its text has been seen. */
  isWhole: boolean;
  isReported: boolean;
}

type Emit = (event: DecodedEvent) => void;

export class TimelineConversation {
  #id: string | null = null;
  #isTemporary = false;
  #status: Status | null = null;
  /** The stream has given the whole state once, so that what follows is complete. */
  #hasBaseline = false;
  /** Text has been lost since then: it was for a block that began in an earlier stream. */
  #isLossy = false;
  readonly #messages = new Map<string, Message>();
  readonly #texts = new TimelineTexts();
  /** Messages that have changed since they were judged. */
  readonly #changed = new Set<string>();
  readonly #running = new Set<string>();

  get isTooLarge(): boolean {
    return this.#messages.size > MAX_MESSAGES || this.#texts.isTooLarge;
  }

  take(event: TimelineEvent, emit: Emit): void {
    switch (event.type) {
      case 'update':
        this.#update(event.update, emit);
        break;
      case 'append':
        this.#append(event.blockId, event.text, emit);
        break;
      case 'ack':
        if (event.ack.refusal !== null) this.#refuse(event.ack.messageId, event.ack.refusal, emit);
        break;
      case 'limit':
        emit({ type: 'limit', resetsInMs: null, resetsAt: event.resetsAt, reason: event.reason });
        break;
      case 'error':
        emit(failureOf(event));
        break;
      default:
        event satisfies never;
    }
  }

  #update(update: ConversationUpdate, emit: Emit): void {
    this.#id = update.conversationId ?? this.#id;
    this.#isTemporary ||= update.isTemporary === true;
    if (update.replacesAll) {
      this.#hasBaseline = true;
      this.#isLossy = false;
      this.#texts.clear();
    }
    for (const { refusal, messageId } of update.acks) if (refusal !== null) this.#refuse(messageId, refusal, emit);
    for (const id of update.deleted) this.#delete(id, emit);
    for (const message of update.messages) this.#putMessage(message, update.replacesAll, emit);
    for (const group of update.groups) this.#texts.putGroup(group);
    const written = new Set<string>();
    for (const block of update.blocks) {
      const messageId = this.#texts.putBlock(block);
      if (messageId === undefined) emit({ type: 'drift', what: 'timeline:block_without_group' });
      else if (messageId !== null) written.add(messageId);
    }
    for (const id of written) this.#reportProgress(id, emit);
    if (update.status) this.#status = update.status;
    if (update.limit)
      emit({ type: 'limit', resetsInMs: null, resetsAt: update.limit.resetsAt, reason: 'conversation' });
    this.#judge(emit);
  }

  #append(blockId: string, text: string, emit: Emit): void {
    const messageId = this.#texts.append(blockId, text);
    if (messageId) this.#reportProgress(messageId, emit);
    if (messageId === undefined) this.#isLossy = true;
  }

  #refuse(messageId: string | null, reason: string, emit: Emit): void {
    emit({ type: 'refused', conversationId: this.#lastingId(), userMessageId: messageId, reason });
  }

  #delete(id: string, emit: Emit): void {
    this.#texts.remove(id);
    if (this.#running.delete(id)) this.#report(id, 'deleted', emit);
    this.#messages.delete(id);
    this.#changed.delete(id);
  }

  #putMessage(change: MessageChange, isSnapshot: boolean, emit: Emit): void {
    const { id, ...parts } = change;
    const known = this.#messages.get(id);
    const message: Message = known ?? {
      ...parts,
      isHistory: change.isComplete,
      isWhole: this.#hasBaseline || (change.role !== null && !change.isComplete),
      isReported: false,
    };
    if (known) {
      message.conversationId = change.conversationId ?? known.conversationId;
      message.role = change.role ?? known.role;
      message.index = change.index ?? known.index;
      message.parentId = change.parentId ?? known.parentId;
      message.stopReason = change.stopReason ?? known.stopReason;
      message.isComplete ||= change.isComplete;
      if (isSnapshot) message.isWhole = true;
    } else {
      this.#messages.set(id, message);
      if (message.role === 'user' && !change.isNotSent) {
        emit({ type: 'accepted', conversationId: this.#lastingId(), userMessageId: id });
      }
    }
    if (message.role === 'user' && change.isNotSent) this.#refuse(id, 'not_sent', emit);
    if (message.role === 'user' || message.isReported) return;
    this.#changed.add(id);
    if (message.isComplete) this.#running.delete(id);
    else this.#running.add(id);
  }

  #reportProgress(messageId: string, emit: Emit): void {
    const message = this.#messages.get(messageId);
    if (!message || message.isComplete || message.role !== 'assistant') return;
    emit({ type: 'progress', answer: this.#refOf(messageId, message), chars: this.#texts.charsOf(messageId) });
  }

  #judge(emit: Emit): void {
    if (this.#status === 'error') {
      for (const id of this.#running) this.#report(id, 'error', emit);
      this.#running.clear();
    }
    if (this.#status !== 'idle' && this.#status !== 'error') return;
    for (const id of this.#changed) {
      const message = this.#messages.get(id);
      if (message?.isComplete && message.role !== 'other') this.#judgeMessage(id, message, emit);
    }
    this.#changed.clear();
  }

  #judgeMessage(id: string, message: Message, emit: Emit): void {
    if (!message.isWhole || this.#isLossy) {
      if (message.stopReason === null) return;
      message.isReported = true;
      emit({ type: 'handoff', conversationId: this.#lastingId() });
      return;
    }
    if (message.role === null || this.#isDivider(id, message)) return;
    if (message.stopReason === null) {
      // The reason may follow, so this is not the last word on the message.
      if (!message.isHistory) emit(this.#incomplete(id, message, 'no_end_mark'));
    } else if (!isCompleteStop(message.stopReason)) this.#report(id, message.stopReason, emit);
    else if (!this.#texts.hasContent(id)) this.#report(id, 'empty', emit);
    else {
      message.isReported = true;
      const text = this.#texts.textOf(id);
      emit({ type: 'final', answer: this.#refOf(id, message), text, history: message.isHistory });
    }
  }

  #isDivider(id: string, message: Message): boolean {
    const parent = this.#messages.get(message.parentId ?? '');
    return parent?.role === 'assistant' && !this.#texts.hasContent(id);
  }

  #report(id: string, reason: string, emit: Emit): void {
    const message = this.#messages.get(id);
    if (message?.role !== 'assistant') return;
    message.isReported = true;
    emit(this.#incomplete(id, message, reason));
  }

  #incomplete(id: string, message: Message, reason: string): DecodedEvent {
    return { type: 'incomplete', answer: this.#refOf(id, message), reason };
  }

  #refOf(messageId: string, message: Message): AnswerRef {
    const parent = this.#messages.get(message.parentId ?? '');
    // A parent that this stream has not shown is the message of the person: what follows an answer is a divider only.
    const isOfUser = message.parentId !== null && message.parentId !== '' && (parent?.role ?? 'user') === 'user';
    const conversationId = this.#lastingId() ?? (this.#isTemporary ? null : message.conversationId);
    return { conversationId, messageId, userMessageId: isOfUser ? message.parentId : null };
  }

  /** The id of a temporary conversation does not last. */
  #lastingId(): string | null {
    return this.#isTemporary ? null : this.#id;
  }
}

function failureOf(error: Extract<TimelineEvent, { type: 'error' }>): DecodedEvent {
  if (error.kind === 'signed_out') return { type: 'signed_out' };
  if (error.kind === 'other') return { type: 'error', reason: error.reason };
  return { type: 'limit', resetsInMs: error.retryAfterMs, resetsAt: null, reason: error.reason };
}

/** Decodes the server-sent events of `completion`, by which the older kind of account gets an answer. */
import type { SseFault } from '../../lib/sse.ts';
import { SseReader } from '../../lib/sse.ts';
import type { AnswerRef, DecodedEvent, Decoder } from '../decoder.ts';
import type { ResponseHead } from '../facts.ts';
import { tokenOf } from './conversation-update.ts';
import { CONVERSATION_API, isUuid } from './endpoints.ts';
import { apiFailure, limitOf, objectOf, parseJson } from './failures.ts';
import { isCompleteStop } from './stop-reasons.ts';
import { TEXT_SEPARATOR } from './timeline-texts.ts';

const MAX_BLOCKS = 10_000;
const MAX_CHARS = 32 * 1024 * 1024;
const MAX_DRIFTS = 32;
/** What is no text of the answer: thinking, tools, citations, marks. */
const DELTAS_WITHOUT_TEXT: readonly unknown[] = [
  'thinking_delta',
  'thinking_summary_delta',
  'signature_delta',
  'input_json_delta',
  'citation_start_delta',
  'citation_end_delta',
  'citations_delta',
  'tool_use_block_update_delta',
  'tool_result_block_update_delta',
  'flag_delta',
];
const EVENTS_WITHOUT_USE: readonly unknown[] = [
  'ping',
  'conversation_ready',
  'content_block_stop',
  'message_snapshot',
  'title',
  'compaction_status',
];

type Json = Readonly<Record<string, unknown>>;

export class CompletionDecoder implements Decoder {
  readonly #reader = new SseReader();
  readonly #head: ResponseHead;
  readonly #drifts = new Set<string>();
  /** The text blocks by their index. */
  readonly #texts = new Map<number, string>();
  #chars = 0;
  #answer: AnswerRef | null = null;
  #stopReason: string | null = null;
  #isOver = false;

  constructor(head: ResponseHead) {
    this.#head = head;
  }

  push(bytes: Uint8Array): DecodedEvent[] {
    const events: DecodedEvent[] = [];
    if (this.#isOver) return events;
    for (const { name, data } of this.#reader.push(bytes)) {
      const json = parseJson(data);
      if (json) this.#take(json, name, events);
      else this.#drift('json', events);
      if (this.#isOver) return events;
    }
    const fault: SseFault | null = this.#reader.fault;
    if (fault) this.#finish({ type: 'opaque', reason: fault }, events);
    return events;
  }

  end(isBroken: boolean): DecodedEvent[] {
    const events: DecodedEvent[] = [];
    const reason = isBroken ? 'broken' : 'no_end_mark';
    if (!this.#isOver) this.#finish({ type: 'incomplete', answer: this.#answer, reason }, events);
    return events;
  }

  #take(json: Json, name: string, events: DecodedEvent[]): void {
    const type = json.type ?? name;
    if (type === 'message_start') this.#start(json, events);
    else if (type === 'content_block_start') this.#startBlock(json, events);
    else if (type === 'content_block_delta') this.#delta(json, events);
    else if (type === 'message_delta')
      this.#stopReason = tokenOf(objectOf(json.delta)?.stop_reason) ?? this.#stopReason;
    else if (type === 'message_stop') this.#stop(events);
    else if (type === 'message_limit') {
      const limit = limitOf(objectOf(json.message_limit));
      if (limit) events.push(limit);
    } else if (type === 'error') this.#finish(apiFailure(json) ?? { type: 'error', reason: 'unnamed' }, events);
    else if (!EVENTS_WITHOUT_USE.includes(type)) this.#drift(`event:${tokenOf(type) ?? 'unnamed'}`, events);
  }

  #start(json: Json, events: DecodedEvent[]): void {
    const message = objectOf(json.message);
    const { send, url } = this.#head;
    const messageId = isUuid(message?.uuid) ? message.uuid : send?.assistantMessageId;
    const parentId = isUuid(message?.parent_uuid) ? message.parent_uuid : null;
    if (!messageId) {
      this.#drift('message_start', events);
      return;
    }
    const inPath = CONVERSATION_API.exec(url.pathname)?.[2] ?? null;
    const conversationId = send ? send.conversationId : inPath;
    const userMessageId = parentId ?? send?.userMessageId ?? null;
    this.#answer = { conversationId, messageId, userMessageId };
    this.#stopReason = tokenOf(message?.stop_reason);
    if (userMessageId) events.push({ type: 'accepted', conversationId, userMessageId });
  }

  #startBlock({ index, content_block: content }: Json, events: DecodedEvent[]): void {
    const block = objectOf(content);
    if (typeof index !== 'number' || !block) this.#drift('content_block_start', events);
    else if (block.type === 'text') this.#write(index, typeof block.text === 'string' ? block.text : '', events);
  }

  #delta({ index, delta: change }: Json, events: DecodedEvent[]): void {
    const delta = objectOf(change);
    if (typeof index !== 'number' || !delta) this.#drift('content_block_delta', events);
    else if (delta.type === 'text_delta') {
      if (typeof delta.text === 'string') this.#write(index, delta.text, events);
      else this.#drift('text_delta', events);
    } else if (!DELTAS_WITHOUT_TEXT.includes(delta.type)) {
      this.#drift(`delta:${tokenOf(delta.type) ?? 'unnamed'}`, events);
    }
  }

  #write(index: number, text: string, events: DecodedEvent[]): void {
    this.#texts.set(index, (this.#texts.get(index) ?? '') + text);
    this.#chars += text.length;
    if (this.#chars > MAX_CHARS || this.#texts.size > MAX_BLOCKS) {
      this.#finish({ type: 'opaque', reason: 'answer_too_large' }, events);
    } else if (this.#answer && text !== '') {
      events.push({ type: 'progress', answer: this.#answer, chars: this.#chars });
    }
  }

  /** The mark counts only with the message that it ends and the reason. */
  #stop(events: DecodedEvent[]): void {
    const answer = this.#answer;
    const reason = answer && this.#stopReason;
    if (answer && reason && isCompleteStop(reason)) {
      this.#finish({ type: 'final', answer, text: this.#text(), history: false }, events);
    } else this.#finish({ type: 'incomplete', answer, reason: reason ?? 'no_end_mark' }, events);
  }

  #text(): string {
    const texts = [...this.#texts].sort(([a], [b]) => a - b).map(([, text]) => text);
    return texts.filter((text) => text !== '').join(TEXT_SEPARATOR);
  }

  #finish(event: DecodedEvent, events: DecodedEvent[]): void {
    this.#isOver = true;
    this.#texts.clear();
    events.push(event);
  }

  #drift(what: string, events: DecodedEvent[]): void {
    if (this.#drifts.has(what) || this.#drifts.size >= MAX_DRIFTS) return;
    this.#drifts.add(what);
    events.push({ type: 'drift', what: `completion:${what}` });
  }
}

/** Decodes the body of `StreamTimeline`: envelopes of protobuf that change one conversation. Its end means nothing. */
import type { DecodedEvent, Decoder } from '../decoder.ts';
import { EnvelopeReader } from './envelopes.ts';
import { connectFailure, parseJson } from './failures.ts';
import { ProtoMessage } from './protobuf.ts';
import { TimelineConversation } from './timeline-conversation.ts';
import { readFrame } from './timeline-frames.ts';

const MAX_DRIFTS = 32;
const utf8 = new TextDecoder();

export class TimelineDecoder implements Decoder {
  readonly #reader = new EnvelopeReader();
  readonly #conversation = new TimelineConversation();
  readonly #drifts = new Set<string>();
  #isOver = false;

  push(bytes: Uint8Array): DecodedEvent[] {
    const events: DecodedEvent[] = [];
    if (this.#isOver) return events;
    for (const { isEnd, payload } of this.#reader.push(bytes)) {
      if (this.#isOver) break;
      if (isEnd) this.#takeEnd(payload, events);
      else this.#takeFrame(payload, events);
    }
    if (this.#reader.fault && !this.#isOver) this.#giveUp(this.#reader.fault, events);
    return events;
  }

  end(): DecodedEvent[] {
    return [];
  }

  #takeFrame(payload: Uint8Array, events: DecodedEvent[]): void {
    const report = (what: string) => this.#drift(what, events);
    const response = ProtoMessage.read(payload);
    if (!response) {
      report('protobuf');
      return;
    }
    for (const event of readFrame(response, report)) {
      this.#conversation.take(event, (one) => {
        if (one.type === 'drift') this.#drift(one.what.replace('timeline:', ''), events);
        else events.push(one);
      });
    }
    if (this.#conversation.isTooLarge) this.#giveUp('conversation_too_large', events);
  }

  #takeEnd(payload: Uint8Array, events: DecodedEvent[]): void {
    const failure = connectFailure(parseJson(utf8.decode(payload)));
    if (failure) events.push(failure);
  }

  /** Each once: a change of the site would repeat it in every frame. */
  #drift(what: string, events: DecodedEvent[]): void {
    if (this.#drifts.has(what) || this.#drifts.size >= MAX_DRIFTS) return;
    this.#drifts.add(what);
    events.push({ type: 'drift', what: `timeline:${what}` });
  }

  #giveUp(reason: string, events: DecodedEvent[]): void {
    this.#isOver = true;
    events.push({ type: 'opaque', reason });
  }
}

/** Chooses how the body of a response is decoded. */
import type { DecodedEvent, Decoder } from '../decoder.ts';
import type { ResponseHead } from '../facts.ts';
import { accountEvents } from './account.ts';
import { isAnonymous } from './endpoints.ts';
import { readReading } from './reading.ts';
import { BoundedBody, isChallenge, jsonOf, Refusal, siteText } from './refusal.ts';
import { TurnStream } from './stream.ts';

/** A conversation of hundreds of long turns. */
const MAX_JSON_BYTES = 32 * 1024 * 1024;

export function decoderOf(head: ResponseHead): Decoder {
  if (isChallenge(head)) return new Fixed([{ type: 'challenge' }]);
  if (head.status < 200 || head.status >= 300) return new Refusal(head);
  switch (head.role) {
    case 'prepare':
      return new Fixed([]);
    case 'read':
      return new Whole(readingEvents);
    case 'account':
      return new Whole((body) => accountEvents(head.url.pathname, jsonOf(body)));
    case 'send':
    case 'stream':
      // Such a conversation has no lasting id and belongs to no account.
      if (isAnonymous(head.url)) return new Fixed([{ type: 'signed_out' }]);
      // A failure can come with status 200.
      return head.contentType === 'application/json' ? new Whole(failureEvents) : new TurnStream(head);
    default:
      return head.role satisfies never;
  }
}

function readingEvents(body: string): DecodedEvent[] {
  const reading = readReading(body);
  if (reading) return [{ type: 'reading', reading }];
  return [
    { type: 'drift', what: 'reading' },
    { type: 'opaque', reason: 'unknown_reading' },
  ];
}

function failureEvents(body: string): DecodedEvent[] {
  const text = siteText(jsonOf(body));
  return [text === '' ? { type: 'opaque', reason: 'json_where_a_stream_was_due' } : { type: 'error', reason: text }];
}

/** What is known before the body, which is not read. */
class Fixed implements Decoder {
  #events: DecodedEvent[];

  constructor(events: DecodedEvent[]) {
    this.#events = events;
  }

  push(): DecodedEvent[] {
    return this.end();
  }

  end(): DecodedEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

/** A body that means something only as a whole. */
class Whole implements Decoder {
  readonly #body = new BoundedBody(MAX_JSON_BYTES);
  readonly #read: (body: string) => DecodedEvent[];

  constructor(read: (body: string) => DecodedEvent[]) {
    this.#read = read;
  }

  push(bytes: Uint8Array): DecodedEvent[] {
    this.#body.push(bytes);
    return [];
  }

  end(isBroken: boolean): DecodedEvent[] {
    const body = this.#body.text();
    if (body === null) return [{ type: 'opaque', reason: 'body_too_large' }];
    return isBroken ? [] : this.#read(body);
  }
}

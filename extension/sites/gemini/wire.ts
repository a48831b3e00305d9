/** The pure side of Gemini: its addresses, requests and responses. */
import type { DecodedEvent, Decoder } from '../decoder.ts';
import type { ResponseHead } from '../facts.ts';
import type { SiteWire } from '../site.ts';
import { accountPathOf, addressOf, roleOf } from './addresses.ts';
import { REQUEST_PATTERNS } from './endpoints.ts';
import { ReadingDecoder, readReading } from './reading.ts';
import { readSend } from './send.ts';
import { StreamDecoder } from './stream-decoder.ts';

export const wire: SiteWire = {
  addressOf,
  accountPathOf,
  requestPatterns: REQUEST_PATTERNS,
  headers: [],
  roleOf,
  readSend: (_request, body) => readSend(body),
  decoder,
  confirmsByReading: false,
  readReading,
  maxTextChars: null,
};

function decoder(head: ResponseHead): Decoder {
  const failure = failureOf(head);
  if (failure) return new FailedDecoder(failure);
  return head.role === 'send' ? new StreamDecoder(head.send) : new ReadingDecoder();
}

/** A failure that the head of a response shows; its body, a page for people or nothing, is not read then. */
function failureOf({ status, contentType, headers }: ResponseHead): DecodedEvent | null {
  if (status === 401) return { type: 'signed_out' };
  if (contentType === 'text/html' && (status === 200 || status === 403 || status === 429 || status === 503)) {
    return { type: 'challenge' };
  }
  if (status === 429) return { type: 'limit', ...retryAfter(headers['retry-after']), reason: 'http_429' };
  return status >= 200 && status < 300 ? null : { type: 'error', reason: `http_${status}` };
}

function retryAfter(value: string | undefined): { resetsInMs: number | null; resetsAt: number | null } {
  const seconds = Number(value ?? Number.NaN);
  if (Number.isFinite(seconds)) return { resetsInMs: seconds * 1_000, resetsAt: null };
  const at = Date.parse(value ?? '');
  return { resetsInMs: null, resetsAt: Number.isFinite(at) ? at : null };
}

class FailedDecoder implements Decoder {
  #failure: DecodedEvent | null;

  constructor(failure: DecodedEvent) {
    this.#failure = failure;
  }

  push(): DecodedEvent[] {
    return this.end();
  }

  end(): DecodedEvent[] {
    const failure = this.#failure;
    this.#failure = null;
    return failure ? [failure] : [];
  }
}

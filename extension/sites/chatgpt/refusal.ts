/** Responses that are not what was due: refusals, limits, security checks. Judged by status, header and type, not by words. */
import type { DecodedEvent, Decoder } from '../decoder.ts';
import type { ResponseHead } from '../facts.ts';
import { isRequiredForSend } from './endpoints.ts';

const MAX_BODY_BYTES = 64 * 1024;
const MAX_TEXT_CHARS = 200;
const SECOND_MS = 1000;

/** A page where data was due is a security check, also with status 200. */
export function isChallenge({ status, contentType, headers }: ResponseHead): boolean {
  if (headers['cf-mitigated'] === 'challenge') return true;
  return contentType === 'text/html' && (status < 300 || status === 403 || status === 503);
}

/** Decodes the body of a response with a status that is no success. */
export class Refusal implements Decoder {
  readonly #head: ResponseHead;
  readonly #body = new BoundedBody(MAX_BODY_BYTES);

  constructor(head: ResponseHead) {
    this.#head = head;
  }

  push(bytes: Uint8Array): DecodedEvent[] {
    this.#body.push(bytes);
    return [];
  }

  end(): DecodedEvent[] {
    return refusalOf(this.#head, jsonOf(this.#body.text()));
  }
}

function refusalOf(head: ResponseHead, body: unknown): DecodedEvent[] {
  const { role, status, url } = head;
  if (status === 401) return [{ type: 'signed_out' }];
  if (status === 429) return [limitOf(head, body)];
  // The page then reads the conversation instead.
  if (role === 'stream' && status === 404) return [{ type: 'opaque', reason: 'not_resumable' }];
  if (role === 'read' || role === 'account') return [{ type: 'opaque', reason: `http_${status}` }];
  if (role === 'prepare' && !isRequiredForSend(url)) return [];
  const text = siteText(body);
  return [{ type: 'error', reason: text === '' ? `http_${status}` : `http_${status}: ${text}` }];
}

function limitOf({ headers, status }: ResponseHead, body: unknown): DecodedEvent {
  const detail = fieldOf(body, 'detail');
  const clearsIn = fieldOf(detail, 'clears_in') ?? fieldOf(body, 'clears_in');
  const text = siteText(body);
  const reason = text === '' ? `http_${status}` : text;
  if (isSeconds(clearsIn)) return { type: 'limit', resetsInMs: clearsIn * SECOND_MS, resetsAt: null, reason };
  const retryAfter = headers['retry-after'] ?? '';
  const seconds = retryAfter === '' ? Number.NaN : Number(retryAfter);
  if (isSeconds(seconds)) return { type: 'limit', resetsInMs: seconds * SECOND_MS, resetsAt: null, reason };
  const date = Date.parse(retryAfter);
  return { type: 'limit', resetsInMs: null, resetsAt: Number.isNaN(date) ? null : date, reason };
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 && value < 1e9;
}

/** Of an account, a conversation or a stream: mail addresses, addresses of pages, and long words with digits. */
const PRIVATE = /\S+@\S+|[a-z]+:\/\/\S+|(?=\S*\d)[\w%+/=-]{20,}/gi;

/** What the site says about a failure, as one short line without what names an account, a conversation or a stream. */
export function siteText(failure: unknown): string {
  for (const value of [
    failure,
    fieldOf(failure, 'detail'),
    fieldOf(fieldOf(failure, 'detail'), 'message'),
    fieldOf(failure, 'error'),
    fieldOf(fieldOf(failure, 'error'), 'message'),
    fieldOf(failure, 'message'),
    fieldOf(failure, 'code'),
  ]) {
    if (typeof value === 'string' && value !== '') {
      const line = value.slice(0, MAX_TEXT_CHARS).replace(/\s+/g, ' ').trim().toWellFormed();
      return line.replace(PRIVATE, '<left out>').slice(0, MAX_TEXT_CHARS);
    }
  }
  return '';
}

export function fieldOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}

export function jsonOf(text: string | null): unknown {
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Keeps a body as a whole, up to a bound. */
export class BoundedBody {
  readonly #maxBytes: number;
  readonly #decoder = new TextDecoder('utf-8');
  #pieces: string[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#bytes > this.#maxBytes) this.#pieces = [];
    else this.#pieces.push(this.#decoder.decode(bytes, { stream: true }));
  }

  /** Null when it was larger than the bound. */
  text(): string | null {
    return this.#bytes > this.#maxBytes ? null : this.#pieces.join('') + this.#decoder.decode();
  }
}

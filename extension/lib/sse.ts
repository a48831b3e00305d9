/**
 * Reads a body of server-sent events. The events are the same for any chunking of the bytes: lines are split as bytes, and
 * each line is decoded as a whole, so that a chunk may end within a character or between CR and LF. Every byte is looked
 * at once; the bytes of one event are bounded. As the standard says, an event counts only once its blank line has come.
 */

export interface SseEvent {
  /** The `event:` field; empty when there is none. */
  name: string;
  /** The `data:` lines, joined by LF. */
  data: string;
}

/** Why a body cannot be read on: it is too large in one place, or it is not text. */
export type SseFault = 'event_too_large' | 'not_utf8';

const MAX_EVENT_BYTES = 4 * 1024 * 1024;

const LF = 10;
const CR = 13;
const BYTE_ORDER_MARK = '\uFEFF';

export class SseReader {
  readonly #maxEventBytes: number;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  /** Begins with the bytes of the line that has begun; it grows by doubling. */
  #line = new Uint8Array(1024);
  #lineBytes = 0;
  /** The bytes of the event's lines before that line. */
  #eventBytes = 0;
  #skipsLf = false;
  #isFirstLine = true;
  #name = '';
  #data: string[] = [];
  #fault: SseFault | null = null;

  constructor(maxEventBytes = MAX_EVENT_BYTES) {
    this.#maxEventBytes = maxEventBytes;
  }

  /** Set once the body cannot be read on. The events before that place have been returned. */
  get fault(): SseFault | null {
    return this.#fault;
  }

  /** Takes the next bytes and returns the events that they complete. */
  push(bytes: Uint8Array): SseEvent[] {
    const events: SseEvent[] = [];
    let start = 0;
    for (let at = 0; at < bytes.length && !this.#fault; at += 1) {
      const byte = bytes[at];
      if (byte === LF && this.#skipsLf) start = at + 1;
      else if (byte === LF || byte === CR) {
        this.#keep(bytes.subarray(start, at));
        this.#endLine(events);
        start = at + 1;
      }
      this.#skipsLf = byte === CR;
    }
    if (!this.#fault) this.#keep(bytes.subarray(start));
    return events;
  }

  #keep(piece: Uint8Array): void {
    if (piece.length === 0) return;
    const length = this.#lineBytes + piece.length;
    if (this.#eventBytes + length > this.#maxEventBytes) {
      this.#stop('event_too_large');
      return;
    }
    if (length > this.#line.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#line.length));
      larger.set(this.#line.subarray(0, this.#lineBytes));
      this.#line = larger;
    }
    this.#line.set(piece, this.#lineBytes);
    this.#lineBytes = length;
  }

  #endLine(events: SseEvent[]): void {
    if (this.#fault) return;
    const line = this.#takeLine();
    if (line === null) return;
    if (line !== '') {
      this.#readField(line);
      return;
    }
    if (this.#data.length > 0) events.push({ name: this.#name, data: this.#data.join('\n') });
    this.#name = '';
    this.#data = [];
    this.#eventBytes = 0;
  }

  #takeLine(): string | null {
    const bytes = this.#line.subarray(0, this.#lineBytes);
    // A line of data keeps memory also when it is empty, so its end counts too.
    this.#eventBytes += this.#lineBytes + 1;
    this.#lineBytes = 0;
    try {
      const line = this.#decoder.decode(bytes);
      const isMarked = this.#isFirstLine && line.startsWith(BYTE_ORDER_MARK);
      this.#isFirstLine = false;
      return isMarked ? line.slice(1) : line;
    } catch {
      this.#stop('not_utf8');
      return null;
    }
  }

  /** `id`, `retry`, comments and unknown fields mean nothing here. */
  #readField(line: string): void {
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    if (field !== 'event' && field !== 'data') return;
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') this.#name = value;
    else this.#data.push(value);
  }

  #stop(fault: SseFault): void {
    this.#fault = fault;
    this.#line = new Uint8Array();
    this.#data = [];
  }
}

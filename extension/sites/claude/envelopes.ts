/** Splits a Connect stream into its envelopes: one byte of flags, four bytes of length, then that many bytes. */
import { gunzipBounded } from './gunzip.ts';

const HEAD_BYTES = 5;
const FLAG_GZIP = 1;
const FLAG_END = 2;
const MAX_ENVELOPE_BYTES = 16 * 1024 * 1024;
const MAX_UNPACKED_BYTES = 32 * 1024 * 1024;
const FIRST_BUFFER_BYTES = 1024;

export interface Envelope {
  /** The last one: its payload is JSON. */
  isEnd: boolean;
  payload: Uint8Array;
}

export class EnvelopeReader {
  #fault: string | null = null;
  readonly #head = new Uint8Array(HEAD_BYTES);
  #headBytes = 0;
  #length = 0;
  /** Begins with the payload until now. It grows with what has come, never with what a head announces. */
  #buffer = new Uint8Array(FIRST_BUFFER_BYTES);
  #filled = 0;

  /** Set once the body cannot be read on. The envelopes before that place have been returned. */
  get fault(): string | null {
    return this.#fault;
  }

  /** Takes the next bytes and returns the envelopes that they complete. */
  push(bytes: Uint8Array): Envelope[] {
    const envelopes: Envelope[] = [];
    let at = 0;
    while (!this.#fault && at < bytes.length) {
      if (this.#headBytes < HEAD_BYTES) at += this.#takeHead(bytes.subarray(at));
      if (this.#headBytes < HEAD_BYTES || this.#fault) break;
      const part = bytes.subarray(at, at + this.#length - this.#filled);
      at += part.length;
      if (this.#filled === 0 && part.length === this.#length) this.#complete(part, envelopes);
      else {
        this.#keep(part);
        if (this.#filled === this.#length) this.#complete(this.#buffer.slice(0, this.#length), envelopes);
      }
    }
    return envelopes;
  }

  #takeHead(bytes: Uint8Array): number {
    const part = bytes.subarray(0, HEAD_BYTES - this.#headBytes);
    this.#head.set(part, this.#headBytes);
    this.#headBytes += part.length;
    if (this.#headBytes === HEAD_BYTES) {
      this.#length = new DataView(this.#head.buffer).getUint32(1);
      const flags = this.#head[0] ?? 0;
      if (flags > (FLAG_GZIP | FLAG_END)) this.#stop('envelope_flags');
      else if (this.#length > MAX_ENVELOPE_BYTES) this.#stop('envelope_too_large');
    }
    return part.length;
  }

  #keep(part: Uint8Array): void {
    const filled = this.#filled + part.length;
    if (filled > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(filled, 2 * this.#buffer.length));
      larger.set(this.#buffer.subarray(0, this.#filled));
      this.#buffer = larger;
    }
    this.#buffer.set(part, this.#filled);
    this.#filled = filled;
  }

  #complete(packed: Uint8Array, envelopes: Envelope[]): void {
    const flags = this.#head[0] ?? 0;
    const payload = flags & FLAG_GZIP ? gunzipBounded(packed, MAX_UNPACKED_BYTES) : packed;
    this.#headBytes = 0;
    this.#filled = 0;
    if (this.#buffer.length > FIRST_BUFFER_BYTES) this.#buffer = new Uint8Array(FIRST_BUFFER_BYTES);
    if (payload) envelopes.push({ isEnd: (flags & FLAG_END) !== 0, payload });
    else this.#stop('gzip');
  }

  #stop(fault: string): void {
    this.#fault = fault;
    this.#buffer = new Uint8Array();
  }
}

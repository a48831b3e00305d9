/** Writes the envelopes of a Connect stream: one byte of flags, four bytes of length, the payload. */
import { gzipSync } from 'node:zlib';

/** Flag 1: the payload is gzip. */
export function envelope(payload: Uint8Array, { gzip = false } = {}): Buffer {
  return framed(gzip ? 1 : 0, gzip ? gzipSync(payload) : payload);
}

/** Flag 2: the last envelope, with JSON. */
export function endEnvelope(trailer: object): Buffer {
  return framed(2, Buffer.from(JSON.stringify(trailer)));
}

export function framed(flags: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags, 0);
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

/** Writes protobuf and Connect envelopes. Written from the wire format, apart from the reader that tests judge by it. */
import { gzipSync } from 'node:zlib';

/** The fields of a message. A number is a varint, a string or bytes are length-delimited, and a list repeats its field. */
export interface Fields {
  [field: number]: FieldValue | readonly FieldValue[] | undefined;
}
type FieldValue = number | bigint | boolean | string | Uint8Array | Fields;

export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
}

export function protobuf(fields: Fields): Buffer {
  const parts: Buffer[] = [];
  for (const [field, value] of Object.entries(fields) as [string, Fields[number]][]) {
    if (value === undefined) continue;
    const values = Array.isArray(value) ? (value as readonly FieldValue[]) : [value as FieldValue];
    for (const one of values) parts.push(encoded(Number(field), one));
  }
  return Buffer.concat(parts);
}

function encoded(field: number, value: FieldValue): Buffer {
  if (typeof value === 'boolean') return encoded(field, value ? 1 : 0);
  if (typeof value === 'number' || typeof value === 'bigint') {
    return Buffer.concat([varint(BigInt(field) << 3n), varint(value)]);
  }
  const bytes =
    typeof value === 'string' ? Buffer.from(value) : value instanceof Uint8Array ? Buffer.from(value) : protobuf(value);
  return Buffer.concat([varint((BigInt(field) << 3n) | 2n), varint(bytes.length), bytes]);
}

/** Flag 1: the payload is gzip. */
export function envelope(payload: Uint8Array, { gzip = false } = {}): Buffer {
  return framed(gzip ? 1 : 0, gzip ? gzipSync(payload) : Buffer.from(payload));
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

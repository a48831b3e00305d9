/**
 * Reads protobuf without a schema. A message is split into its fields once; a nested message is split only when it is
 * asked for, so deep nesting costs nothing. Malformed bytes give null and never throw.
 *
 * As protobuf requires, the last value of a field wins, and repeated messages of one field that is not a list are merged.
 */

/** More fields than this in one message are taken for malformed. */
const MAX_FIELDS = 400_000;
const MAX_VARINT_BYTES = 10;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

type Value = number | Uint8Array;

export class ProtoMessage {
  readonly #fields: ReadonlyMap<number, Value[]>;

  private constructor(fields: ReadonlyMap<number, Value[]>) {
    this.#fields = fields;
  }

  /** Null when the bytes are no protobuf message. */
  static read(bytes: Uint8Array): ProtoMessage | null {
    const fields = split(bytes);
    return fields && new ProtoMessage(fields);
  }

  get numbers(): readonly number[] {
    return [...this.#fields.keys()];
  }

  has(field: number): boolean {
    return this.#fields.has(field);
  }

  /** A number, enum or bool; null when the field is absent or of another type. */
  number(field: number): number | null {
    const value = this.#fields.get(field)?.at(-1);
    return typeof value === 'number' ? value : null;
  }

  /** Null when the field is absent or no text. */
  text(field: number): string | null {
    return textOf(this.#fields.get(field)?.at(-1));
  }

  /** Every value of a list of texts; null for one that is none. */
  texts(field: number): (string | null)[] {
    return (this.#fields.get(field) ?? []).map(textOf);
  }

  /** Null when the field is absent or no message. */
  message(field: number): ProtoMessage | null {
    const parts = this.#fields.get(field)?.filter((value) => typeof value !== 'number') ?? [];
    const [first] = parts;
    if (!first) return null;
    return ProtoMessage.read(parts.length === 1 ? first : joined(parts));
  }

  /** Every value of a list of messages; null for one that is none. */
  messages(field: number): (ProtoMessage | null)[] {
    const values = this.#fields.get(field) ?? [];
    return values.map((value) => (typeof value === 'number' ? null : ProtoMessage.read(value)));
  }
}

function textOf(value: Value | undefined): string | null {
  if (value === undefined || typeof value === 'number') return null;
  try {
    return utf8.decode(value);
  } catch {
    return null;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function split(bytes: Uint8Array): Map<number, Value[]> | null {
  const fields = new Map<number, Value[]>();
  const cursor = { at: 0 };
  for (let count = 0; cursor.at < bytes.length; count += 1) {
    const key = readVarint(bytes, cursor);
    if (key === null || key < 8 || key > 0xffff_ffff || count >= MAX_FIELDS) return null;
    const value = readValue(bytes, cursor, key % 8);
    if (value === null) return null;
    const number = Math.floor(key / 8);
    const values = fields.get(number);
    if (values) values.push(value);
    else fields.set(number, [value]);
  }
  return fields;
}

function readValue(bytes: Uint8Array, cursor: { at: number }, wireType: number): Value | null {
  if (wireType === 0) return readVarint(bytes, cursor);
  const length = lengthOf(bytes, cursor, wireType);
  // A number that cannot be represented exactly is a length that no body has.
  if (length === null || length < 0 || length > bytes.length - cursor.at) return null;
  cursor.at += length;
  return bytes.subarray(cursor.at - length, cursor.at);
}

function lengthOf(bytes: Uint8Array, cursor: { at: number }, wireType: number): number | null {
  if (wireType === 2) return readVarint(bytes, cursor);
  if (wireType === 1) return 8;
  return wireType === 5 ? 4 : null;
}

/** Positive values over 2^53 lose precision; negative ones are read as two's complement. */
function readVarint(bytes: Uint8Array, cursor: { at: number }): number | null {
  // 28, 28 and 8 bits: sums of them stay exact.
  const parts: [number, number, number] = [0, 0, 0];
  for (let count = 0; count < MAX_VARINT_BYTES; count += 1) {
    const byte = bytes[cursor.at];
    if (byte === undefined) return null;
    cursor.at += 1;
    parts[count < 4 ? 0 : count < 8 ? 1 : 2] += (byte & 0x7f) * 128 ** (count % 4);
    if (byte >= 0x80) continue;
    const [low, middle, high] = parts;
    const signedHigh = (high & 0xff) >= 0x80 ? (high & 0xff) - 0x100 : high & 0xff;
    return (signedHigh * 2 ** 28 + middle) * 2 ** 28 + low;
  }
  return null;
}

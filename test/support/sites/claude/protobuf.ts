/**
 * Writes and reads protobuf for the fake claude.ai, its page and the tests. Written from the wire format, apart from the
 * reader that the tests judge by it. It runs in Node and in Firefox.
 */

/** The fields of a message. A number is a varint, a string or bytes are length-delimited, and a list repeats its field. */
export interface Fields {
  [field: number]: FieldValue | readonly FieldValue[] | undefined;
}
type FieldValue = number | bigint | boolean | string | Uint8Array | Fields;

export function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function protobuf(fields: Fields): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  for (const [field, value] of Object.entries(fields) as [string, Fields[number]][]) {
    if (value === undefined) continue;
    const values = Array.isArray(value) ? (value as readonly FieldValue[]) : [value as FieldValue];
    for (const one of values) parts.push(encoded(Number(field), one));
  }
  return concat(parts);
}

function encoded(field: number, value: FieldValue): Uint8Array {
  if (typeof value === 'boolean') return encoded(field, value ? 1 : 0);
  if (typeof value === 'number' || typeof value === 'bigint') {
    return concat([varint(BigInt(field) << 3n), varint(value)]);
  }
  const bytes =
    typeof value === 'string' ? new TextEncoder().encode(value) : value instanceof Uint8Array ? value : protobuf(value);
  return concat([varint((BigInt(field) << 3n) | 2n), varint(bytes.length), bytes]);
}

/** A message that was read. Only what the fakes need: varints and length-delimited fields. */
export class Read {
  readonly #fields = new Map<number, (number | Uint8Array)[]>();

  constructor(bytes: Uint8Array) {
    let at = 0;
    const number = () => {
      let value = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[at] ?? 0;
        at += 1;
        value += (byte & 0x7f) * 2 ** shift;
        if (byte < 0x80) return value;
      }
    };
    while (at < bytes.length) {
      const key = number();
      if (key % 8 !== 0 && key % 8 !== 2) throw new Error(`the wire type ${key % 8} is not expected`);
      const length = number();
      const value = key % 8 === 0 ? length : bytes.subarray(at, at + length);
      if (typeof value !== 'number') at += length;
      const field = Math.floor(key / 8);
      this.#fields.set(field, [...(this.#fields.get(field) ?? []), value]);
    }
  }

  has(field: number): boolean {
    return this.#fields.has(field);
  }

  number(field: number): number {
    return Number(this.#fields.get(field)?.at(-1) ?? 0);
  }

  text(field: number): string {
    const value = this.#fields.get(field)?.at(-1);
    return value instanceof Uint8Array ? new TextDecoder().decode(value) : '';
  }

  message(field: number): Read | null {
    return this.messages(field).at(-1) ?? null;
  }

  messages(field: number): Read[] {
    return (this.#fields.get(field) ?? []).flatMap((value) => (value instanceof Uint8Array ? [new Read(value)] : []));
  }
}

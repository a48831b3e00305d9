/**
 * The reducer of the `delta_encoding: v1` frames: each changes one message by a path, an operation and a value, and what a
 * frame leaves out is as in the frame before. Only the parts of a message that decide about an answer are kept; a change of
 * another part is skipped. A change that does not fit what is there is a fault, never a guess: the text would be wrong.
 */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export interface Delta {
  p?: unknown;
  o?: unknown;
  v?: unknown;
  c?: unknown;
}

const KEPT_FIELDS = new Set(['id', 'author', 'channel', 'recipient', 'content', 'status', 'end_turn', 'metadata']);
const KEPT_CONTENT = new Set(['content_type', 'parts']);
const MAX_PATH_CHARS = 256;
/** A truncation copies the text, so their number is bounded. */
const MAX_TRUNCATIONS = 100;

export class DeltaReducer {
  #message: JsonObject | null = null;
  #cursor: unknown;
  #path = '';
  #operation = 'add';
  #truncations = 0;
  #kept = 0;

  /** The current message; null before the first. It changes with each delta. */
  get message(): JsonObject | null {
    return this.#message;
  }

  /** How many characters the current message has been given. */
  get keptChars(): number {
    return this.#kept;
  }

  /** Begins a new message, as a root delta and each frame of the older encoding do. `chars`: the length of the frame. */
  begin(message: JsonObject, chars: number, cursor?: unknown): void {
    this.#message = keptPart(message);
    this.#cursor = cursor;
    this.#path = '';
    this.#operation = 'add';
    this.#truncations = 0;
    this.#kept = chars;
  }

  /** Applies one frame. The result names what does not fit; null when all does. */
  apply(delta: Delta, chars: number): string | null {
    if (delta.p !== undefined && !isPath(delta.p)) return 'delta_path';
    if (delta.o !== undefined && typeof delta.o !== 'string') return 'delta_operation';
    const isBare = delta.p === undefined && delta.o === undefined;
    const root = messageOf(delta.v);
    if (root && (isBare || (delta.p ?? this.#path) === '')) {
      this.begin(root, chars, delta.c);
      return null;
    }
    if (!this.#message) return 'delta_before_message';
    if (delta.c !== undefined && delta.c !== this.#cursor) return 'delta_of_other_message';
    this.#path = delta.p ?? this.#path;
    this.#operation = delta.o ?? this.#operation;
    if (this.#operation === 'patch') return this.#patch(this.#path, delta.v, chars);
    const size = typeof delta.v === 'string' ? delta.v.length : chars;
    return this.#change(this.#path, this.#operation, delta.v as Json, size);
  }

  #patch(outer: string, operations: unknown, chars: number): string | null {
    if (!Array.isArray(operations)) return 'patch_value';
    this.#kept += chars;
    for (const one of operations as (Delta | null)[]) {
      const { p = '', o, v } = one ?? {};
      if (!isPath(p) || typeof o !== 'string' || o === 'patch') return 'patch_operation';
      const fault = this.#change(within(outer, p), o, v as Json, 0);
      if (fault !== null) return fault;
    }
    return null;
  }

  #change(path: string, operation: string, value: Json, size: number): string | null {
    const [root, ...steps] = path.split('/').slice(1);
    if (root !== 'message') return path === '' ? 'change_of_root' : null;
    if (steps.length === 0) return 'change_of_message';
    if (!isKept(steps)) return null;
    if (operation !== 'remove' && value === undefined) return 'delta_value';
    this.#kept += size;
    if (operation === 'truncate') {
      this.#truncations += 1;
      if (this.#truncations > MAX_TRUNCATIONS) return 'too_many_truncations';
    }
    return changeAt(this.#message as JsonObject, steps, operation, value);
  }
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_PATH_CHARS;
}

/** Paths of sub-operations are whole, or continue the outer one. */
function within(outer: string, path: string): string {
  const isWhole = path === '/message' || path.startsWith('/message/');
  return isWhole ? path : outer + path;
}

function isKept([field = '', part]: readonly string[]): boolean {
  return KEPT_FIELDS.has(field) && (field !== 'content' || part === undefined || KEPT_CONTENT.has(part));
}

function keptPart(message: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(message).filter(([field]) => KEPT_FIELDS.has(field)));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The message of a root value. */
function messageOf(value: unknown): JsonObject | null {
  return isObject(value) && Object.hasOwn(value, 'message') && isObject(value.message) ? value.message : null;
}

/** Where a path ends: the container, and the key or index in it. */
type Place = { list: Json[]; index: number } | { object: JsonObject; key: string };

function changeAt(message: JsonObject, steps: readonly string[], operation: string, value: Json): string | null {
  const place = placeAt(message, steps);
  if (!place) return 'path_leads_nowhere';
  const current = 'list' in place ? place.list[place.index] : ownValue(place.object, place.key);
  switch (operation) {
    case 'add':
      // Whether an added item moves the later ones is not known, so it may only come last.
      return 'list' in place && current !== undefined ? 'add_within_list' : set(place, value);
    case 'replace':
      return set(place, value);
    case 'append':
      return append(place, current, value);
    case 'remove':
      return remove(place, current);
    case 'truncate':
      return truncate(place, current, value);
    default:
      return 'unknown_operation';
  }
}

function placeAt(message: JsonObject, steps: readonly string[]): Place | null {
  let container: Json | undefined = message;
  for (const [depth, step] of steps.entries()) {
    const isLast = depth === steps.length - 1;
    if (Array.isArray(container)) {
      const index = indexIn(container, step);
      if (index === null) return null;
      if (isLast) return { list: container, index };
      container = container[index];
    } else if (isObject(container) && step !== '__proto__') {
      if (isLast) return { object: container, key: step };
      container = ownValue(container, step);
    } else return null;
  }
  return null;
}

/** An index of the list, or the one after its last. */
function indexIn(list: readonly Json[], step: string): number | null {
  const index = /^(?:0|[1-9]\d{0,6})$/.test(step) ? Number(step) : Number.NaN;
  return index <= list.length ? index : null;
}

function ownValue(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function set(place: Place, value: Json): null {
  if ('list' in place) place.list[place.index] = value;
  else place.object[place.key] = value;
  return null;
}

function append(place: Place, current: Json | undefined, value: Json): string | null {
  if (current === undefined || current === null) return set(place, value);
  if (typeof current === 'string' && typeof value === 'string') return set(place, current + value);
  if (Array.isArray(current)) {
    for (const item of Array.isArray(value) ? value : [value]) current.push(item);
    return null;
  }
  if (!(isObject(current) && isObject(value))) return 'append_to_other_type';
  for (const [key, item] of Object.entries(value)) if (key !== '__proto__') current[key] = item;
  return null;
}

function remove(place: Place, current: Json | undefined): string | null {
  if (current === undefined) return 'remove_of_nothing';
  if ('list' in place) place.list.splice(place.index, 1);
  else delete place.object[place.key];
  return null;
}

function truncate(place: Place, current: Json | undefined, length: Json): string | null {
  const isListOrText = typeof current === 'string' || Array.isArray(current);
  if (!isListOrText || !Number.isSafeInteger(length) || Number(length) < 0) return 'truncate_value';
  return set(place, current.slice(0, Number(length)));
}

/**
 * JSON from outside: every HTTP body and every frame is read here, so that one depth and one number of values bound them
 * all, and that no value is accepted that could not be stored and read back. Text becomes well-formed Unicode, as the
 * bytes of a body do when they are decoded; so what is stored is what is returned.
 */
import { JSON_TEXT } from './defaults.ts';

export type JsonRead =
  | { ok: true; value: unknown }
  /** `field`: the path of the value, joined by dots; empty for the text as a whole. */
  | { ok: false; field: string; expected: string };

/** A value that is not accepted: what was expected, and the path to it. */
interface Fault {
  path: (string | number)[];
  expected: string;
}

/** Names that mean something else than a field to JavaScript. */
const FORBIDDEN_KEY = '__proto__';
const MAX_FIELD_CHARS = 200;

/** Reads a JSON text. Its numbers, names and depth are those that every part of the system can keep. */
export function readJson(text: string): JsonRead {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, field: '', expected: 'JSON' };
  }
  const kept = new Keeper().keep(value, 0);
  if (!('fault' in kept)) return { ok: true, value: kept.value };
  const { path, expected } = kept.fault;
  return { ok: false, field: path.join('.').slice(0, MAX_FIELD_CHARS), expected };
}

type Kept = { value: unknown } | { fault: Fault };

/** Visits each value once. It descends no further than the allowed depth, so its own recursion is bounded. */
class Keeper {
  #values = 0;

  keep(value: unknown, depth: number): Kept {
    this.#values += 1;
    if (this.#values > JSON_TEXT.max_values) return faulty(`at most ${JSON_TEXT.max_values} values in all`);
    if (typeof value === 'string') return { value: value.toWellFormed() };
    if (typeof value === 'number' && !Number.isFinite(value)) return faulty('a number of at most 1.8e308');
    if (typeof value !== 'object' || value === null) return { value };
    if (depth >= JSON_TEXT.max_depth) return faulty(`at most ${JSON_TEXT.max_depth} levels of objects and lists`);
    return Array.isArray(value) ? this.#keepList(value, depth) : this.#keepObject(value, depth);
  }

  #keepList(list: unknown[], depth: number): Kept {
    for (const [index, item] of list.entries()) {
      const kept = this.keep(item, depth + 1);
      if ('fault' in kept) return within(index, kept.fault);
      list[index] = kept.value;
    }
    return { value: list };
  }

  #keepObject(object: object, depth: number): Kept {
    const fields: [string, unknown][] = [];
    for (const [key, item] of Object.entries(object)) {
      if (key === FORBIDDEN_KEY) return within(key, faulty('a field of another name').fault);
      const kept = this.keep(item, depth + 1);
      if ('fault' in kept) return within(key, kept.fault);
      fields.push([key.toWellFormed(), kept.value]);
    }
    return { value: Object.fromEntries(fields) };
  }
}

function faulty(expected: string): { fault: Fault } {
  return { fault: { path: [], expected } };
}

function within(key: string | number, fault: Fault): { fault: Fault } {
  fault.path.unshift(key);
  return { fault };
}

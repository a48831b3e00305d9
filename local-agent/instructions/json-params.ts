/**
 * Params that are one JSON object: exactly the object that was written, or an error. Where the object ends is certain only
 * when it is written as JSON is; `is_end_certain` says whether what follows may be read as instructions.
 */
import { INSTRUCTION } from '../../schema/defaults.ts';

export type JsonParams =
  | { ok: true; value: Record<string, unknown> }
  | { ok: false; code: string; message: string; is_end_certain: boolean };

/** Whether the brackets of a JSON text nest deeper than the limit. Brackets inside strings do not count. */
function isTooDeep(json: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (inString) {
      if (code === 92) i += 1;
      else if (code === 34) inString = false;
    } else if (code === 34) inString = true;
    else if (code === 123 || code === 91) {
      depth += 1;
      if (depth > INSTRUCTION.max_json_depth) return true;
    } else if (code === 125 || code === 93) depth -= 1;
  }
  return false;
}

/** What may be outside of strings: white space, brackets, separators, numbers, words such as `true`. */
const OUTSIDE = /[\s{}[\]:,\w.+"-]/;
const AFTER_STRING = /[\s,:}\]]/;
const SPACE = /\s/;

/**
 * Whether a text that is no valid JSON ends where its object ends: every bracket is closed at the very end, and the strings
 * are such as JSON has. A string that spans lines, or has more text right behind it, was not written as JSON.
 */
function isEndCertain(json: string): boolean {
  let level = 0;
  let inString = false;
  let isBehindString = false;
  for (let i = 0; i < json.length; i++) {
    const char = json[i] ?? '';
    if (inString) {
      if (char === '\n') return false;
      if (char === '\\') i += 1;
      else if (char === '"') {
        inString = false;
        isBehindString = true;
      }
      continue;
    }
    if (!(isBehindString ? AFTER_STRING : OUTSIDE).test(char)) return false;
    if (SPACE.test(char)) continue;
    if (level === 0 && i > 0) return false;
    isBehindString = false;
    if (char === '"') inString = true;
    else if (char === '{' || char === '[') level += 1;
    else if (char === '}' || char === ']') level -= 1;
  }
  return !inString && level === 0;
}

/** Whether every string in the value is valid Unicode; an escape such as `\\ud800` alone is not. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, item]) => key.isWellFormed() && isWellFormed(item));
}

/** A number may have more digits than are kept, or a size that is not. */
const MAY_BE_INEXACT = /\d{16}|\d[eE]/;
const INTEGER = /^-?\d+$/;

/** Whether an integer keeps its value or is written again as it was, and another number keeps a finite size. */
function isKept(written: string, value: number): boolean {
  if (!Number.isFinite(value)) return false;
  return !INTEGER.test(written) || String(value) === written || BigInt(written) === BigInt(value);
}

/** The first number that would not be kept as written, with the key that it belongs to; undefined when all are kept. */
function inexactNumber(json: string): { key: string; written: string } | undefined {
  const found: { key: string; written: string }[] = [];
  if (!MAY_BE_INEXACT.test(json)) return undefined;
  JSON.parse(json, (key: string, value: unknown, context?: { source?: string }) => {
    const written = context?.source;
    if (typeof value !== 'number' || written === undefined) return value;
    if (!isKept(written, value)) found.push({ key, written });
    return value;
  });
  return found[0];
}

/** The object that a text starting with `{` is. */
export function parseJsonParams(text: string): JsonParams {
  if (isTooDeep(text)) {
    const message = `the params nest deeper than ${INSTRUCTION.max_json_depth} levels`;
    return { ok: false, code: 'json_too_deep', message, is_end_certain: isEndCertain(text) };
  }
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'not JSON';
    const message = `the params are not one JSON object: ${reason}`;
    return { ok: false, code: 'invalid_json', message, is_end_certain: isEndCertain(text) };
  }
  if (!isWellFormed(value)) {
    const message = 'the params contain half a surrogate pair';
    return { ok: false, code: 'invalid_unicode', message, is_end_certain: true };
  }
  const number = inexactNumber(text);
  if (number === undefined) return { ok: true, value };
  const written = number.written.slice(0, 60);
  const message = `${number.key}: the number ${written} would not be kept exactly; write it as a string, or a smaller one`;
  return { ok: false, code: 'inexact_number', message, is_end_certain: true };
}

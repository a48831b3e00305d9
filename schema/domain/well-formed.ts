/** Values as JSON and UTF-8 give them back: no undefined, no lone surrogates. Hashes are made of such values only. */

/** The same value with every broken surrogate, in keys too, replaced by U+FFFD. */
export function wellFormed<T extends Record<string, unknown>>(value: T): T {
  return repaired(JSON.parse(JSON.stringify(value))) as T;
}

function repaired(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(repaired);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.toWellFormed(), repaired(inner)]));
}

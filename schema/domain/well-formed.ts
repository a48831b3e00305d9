/** Values that survive JSON and UTF-8 unchanged: no undefined, no lone surrogates. Only such values are hashed. */

/** The value with every lone surrogate, also in keys, replaced by U+FFFD. */
export function wellFormed<T extends Record<string, unknown>>(value: T): T {
  return repair(JSON.parse(JSON.stringify(value))) as T;
}

function repair(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(repair);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.toWellFormed(), repair(inner)]));
}

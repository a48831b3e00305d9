/**
 * The delta reducer in its plainest form, for comparison: it copies the whole message for each change, and finds places by
 * recursion. Null: the change does not fit what is there.
 */

export interface Operation {
  p?: string;
  o?: string;
  v: unknown;
}

/** The text of the message after all changes, parts that are no text left out; null when one does not fit. */
export function reduced(start: object, operations: readonly Operation[]): string | null {
  let message: unknown = structuredClone(start);
  let path = '';
  let operation = 'add';
  for (const one of operations) {
    path = one.p ?? path;
    operation = one.o ?? operation;
    const changes = operation === 'patch' ? (one.v as Operation[]) : [{ p: path, o: operation, v: one.v }];
    if (!Array.isArray(changes)) return null;
    for (const { p = '', o = '', v } of changes) {
      const steps = p.split('/').slice(2);
      if (steps.length === 0) return null;
      const next = changed(message, steps, o, v);
      if (next === undefined) return null;
      message = next;
    }
  }
  return textOf(message);
}

function textOf(message: unknown): string | null {
  const { content, metadata } = message as { content: { parts: unknown[] }; metadata?: unknown };
  if (metadata !== undefined && metadata !== null && (typeof metadata !== 'object' || Array.isArray(metadata)))
    return null;
  return content.parts.filter((part) => typeof part === 'string').join('\n');
}

function changed(value: unknown, [step = '', ...rest]: string[], o: string, v: unknown): unknown {
  if (Array.isArray(value)) {
    const index = Number(step);
    if (!(index >= 0 && index <= value.length)) return undefined;
    if (rest.length === 0 && o === 'remove') return index < value.length ? value.toSpliced(index, 1) : undefined;
    if (rest.length === 0 && o === 'add' && index < value.length) return undefined;
    const item = rest.length === 0 ? result(value[index], o, v) : changed(value[index], rest, o, v);
    return item === undefined ? undefined : [...value.slice(0, index), item, ...value.slice(index + 1)];
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { [step]: current, ...others } = value as Record<string, unknown>;
  if (rest.length === 0 && o === 'remove') return current === undefined ? undefined : others;
  const item = rest.length === 0 ? result(current, o, v) : changed(current, rest, o, v);
  return item === undefined ? undefined : { ...others, [step]: item };
}

function result(current: unknown, o: string, v: unknown): unknown {
  if (o === 'add' || o === 'replace') return v;
  if (o === 'append') {
    if (current === undefined || current === null) return v;
    if (typeof current === 'string') return typeof v === 'string' ? current + v : undefined;
    const isMerge = typeof current === 'object' && typeof v === 'object' && v !== null;
    return isMerge ? { ...current, ...v } : undefined;
  }
  const isLong = typeof current === 'string' || Array.isArray(current);
  return o === 'truncate' && isLong && typeof v === 'number' ? current.slice(0, v) : undefined;
}

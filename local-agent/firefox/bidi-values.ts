/** Values of scripts as WebDriver BiDi writes them, to and from plain values. */
import { z } from 'zod';

export const RemoteValueSchema = z.looseObject({ type: z.string() });
export type RemoteValue = z.infer<typeof RemoteValueSchema>;

const PairsSchema = z.array(z.tuple([z.union([z.string(), RemoteValueSchema]), RemoteValueSchema]));
const SPECIAL_NUMBERS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  '-0': -0,
};

/** The plain value of a result. What has none, such as a node or a function, stays as BiDi describes it. */
export function plainValue(remote: RemoteValue): unknown {
  const { type, value } = remote;
  if (type === 'undefined') return undefined;
  if (type === 'null') return null;
  if (type === 'string' || type === 'boolean') return value;
  if (type === 'number') return typeof value === 'string' ? SPECIAL_NUMBERS[value] : value;
  if (type === 'array' && Array.isArray(value)) return z.array(RemoteValueSchema).parse(value).map(plainValue);
  if (type === 'object' && Array.isArray(value)) {
    const pairs = PairsSchema.parse(value);
    return Object.fromEntries(
      pairs.map(([key, one]) => [String(typeof key === 'string' ? key : key.value), plainValue(one)]),
    );
  }
  return remote;
}

/** A JSON value as an argument of a function. Anything with a `sharedId` is passed as the node that it names. */
export function localValue(value: unknown): object {
  if (value === undefined) return { type: 'undefined' };
  if (value === null) return { type: 'null' };
  if (typeof value === 'string' || typeof value === 'boolean') return { type: typeof value, value };
  if (typeof value === 'number') return { type: 'number', value };
  if (Array.isArray(value)) return { type: 'array', value: value.map(localValue) };
  if (typeof value !== 'object') throw new Error(`a ${typeof value} cannot be passed to a page`);
  if ('sharedId' in value) return { sharedId: value.sharedId };
  return { type: 'object', value: Object.entries(value).map(([key, one]) => [key, localValue(one)]) };
}

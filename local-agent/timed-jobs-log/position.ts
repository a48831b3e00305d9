/**
 * How far the tick log has been written: the last tick, and the length of each day's file after it. After a crash, a file
 * that is longer has lines of later ticks; they are cut, so that no entry is there twice or torn.
 */
import { z } from 'zod';
import type { Store } from '../store/store.ts';

const PositionSchema = z.object({
  after: z.number().int().nonnegative(),
  sizes: z.record(z.string(), z.number().int().nonnegative()),
});
export type Position = z.infer<typeof PositionSchema>;

const KEY = 'timed_jobs_log';
/** Days whose files may still grow. */
const DAYS_KEPT = 3;

type Meta = Pick<Store['meta'], 'get' | 'set'>;

export function readPosition(meta: Meta): Position {
  const text = meta.get(KEY);
  return text === null ? { after: 0, sizes: {} } : PositionSchema.parse(JSON.parse(text));
}

export function writePosition(meta: Meta, { after, sizes }: Position): void {
  const newest = Object.keys(sizes).sort().slice(-DAYS_KEPT);
  meta.set(KEY, JSON.stringify({ after, sizes: Object.fromEntries(newest.map((day) => [day, sizes[day]])) }));
}

/** The pace of a browser on one site, as its node reported it, in words. A node may report more than is known here. */
import { makeVisibleLine } from '../../../../schema/domain/visible.ts';
import type { Format } from '../../parts/format.ts';
import type { TextKey } from '../../texts/texts.ts';
import { word } from '../../texts/texts.ts';
import type { Target } from './read-browsers.ts';

const NUMBERS: readonly (readonly [field: string, name: TextKey])[] = [
  ['in_flight', 'in_flight'],
  ['failures', 'failures'],
  ['recent_starts', 'rate_used'],
  ['stale_sweep_count', 'sweeps'],
  ['restored_count', 'tabs_restored'],
];
const TEXTS: readonly (readonly [field: string, name: TextKey])[] = [
  ['last_drift', 'site_drift'],
  ['last_skipped', 'tabs_skipped'],
];
const TIMES: readonly (readonly [field: string, name: TextKey])[] = [
  ['open_until', 'open_until'],
  ['backoff_until', 'backoff_until'],
  ['spaced_until', 'spaced_until'],
  ['last_activity_at', 'last_activity'],
];

/** A node reports its slots when they change: a count of the last minute is over by then. */
const MINUTE_MS = 60_000;

export function slotFacts(target: Target, format: Format, now: number): [name: TextKey, text: string][] {
  const isIdle = (target.last_activity_at ?? 0) < now - MINUTE_MS;
  const values: Readonly<Record<string, unknown>> = {
    ...target,
    ...(isIdle && 'recent_starts' in target && { recent_starts: 0 }),
  };
  const breaker =
    typeof values.breaker === 'string' ? [['breaker', word('breaker', values.breaker)] as [TextKey, string]] : [];
  const numbers = NUMBERS.flatMap(([field, name]): [TextKey, string][] => {
    const value = values[field];
    return typeof value === 'number' ? [[name, format.count(value)]] : [];
  });
  const times = TIMES.flatMap(([field, name]): [TextKey, string][] => {
    const at = values[field];
    // A time that has passed holds nothing back any more.
    if (typeof at !== 'number' || at === 0 || (field !== 'last_activity_at' && at <= now)) return [];
    return [[name, format.ago(at, now)]];
  });
  const texts = TEXTS.flatMap(([field, name]): [TextKey, string][] => {
    const text = values[field];
    return typeof text === 'string' ? [[name, makeVisibleLine(text)]] : [];
  });
  return [...breaker, ...numbers, ...times, ...texts];
}

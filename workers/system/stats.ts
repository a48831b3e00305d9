/**
 * `GET /v1/stats`. An hour is the difference between two rows of the counters, and so is a day: the rows read depend on how
 * many hours and days are asked for, and on nothing that is stored.
 */
import { sql } from 'drizzle-orm';
import type { Stats, StatsDay, StatsHour } from '../../schema/contracts/stats.ts';
import { COUNTED_OUTCOMES, DELIVERY_KINDS } from '../../schema/contracts/stats.ts';
import { FREE_PLAN } from '../../schema/defaults.ts';
import type { Counts } from '../../schema/domain/counters.ts';
import { addCounts, COUNTER, grownBy, histogramOf, LATENESS, TICK_DURATION } from '../../schema/domain/counters.ts';
import { readJson } from '../../schema/json-text.ts';
import { hourOf } from '../db/counters.ts';
import type { Database } from '../db/open.ts';
import type { Edge } from '../db/plan.ts';
import { readUncounted } from './counters.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export async function readStats(
  { db, now }: Pick<Edge, 'db' | 'now'>,
  { hours, days }: { hours: number; days: number },
): Promise<Stats> {
  const thisHour = hourOf(now);
  const thisDay = Math.floor(now / DAY_MS) * DAY_MS;
  const hourStarts = Array.from({ length: hours }, (_, n) => thisHour - (hours - 1 - n) * HOUR_MS);
  const dayStarts = Array.from({ length: days }, (_, n) => thisDay - (days - 1 - n) * DAY_MS);
  const [since, uncounted, before] = await Promise.all([
    db.get<{ hour: number | null }>(sql`SELECT (SELECT hour FROM hourly_counters ORDER BY hour LIMIT 1) AS hour`),
    readUncounted(db),
    readBefore(db, [...hourStarts, ...dayStarts]),
  ]);
  const totals = addCounts(uncounted.counts, ...uncounted.commits.map(({ counts }) => counts));
  const first = since.hour ?? (uncounted.commits[0] === undefined ? null : hourOf(uncounted.commits[0].at));
  const at = (time: number): Counts => before.get(time) ?? {};
  const grown = (start: number, end: number, last: number) => grownBy(at(start), start === last ? totals : at(end));
  return {
    since: first,
    hours: hourStarts
      .filter((hour) => first !== null && hour >= first)
      .map((hour) => toHour(hour, grown(hour, hour + HOUR_MS, thisHour))),
    days: dayStarts
      .filter((day) => first !== null && day + DAY_MS > first)
      .map((day) => toDay(day, grown(day, day + DAY_MS, thisDay))),
    free_plan: FREE_PLAN,
  };
}

/** The counters as they were when each of these times began, by time; absent before anything was counted. */
async function readBefore(db: Database, times: readonly number[]): Promise<Map<number, Counts>> {
  const rows = await db.all<{ at: number; counts: string | null }>(sql`SELECT t.value AS at,
      (SELECT counts FROM hourly_counters WHERE hour < t.value ORDER BY hour DESC LIMIT 1) AS counts
    FROM json_each(${JSON.stringify(times)}) AS t`);
  return new Map(
    rows.flatMap(({ at, counts }) => {
      const read = counts === null ? null : readJson(counts);
      return read?.ok === true ? [[at, read.value as Counts] as const] : [];
    }),
  );
}

function toHour(hour: number, counts: Counts): StatsHour {
  const deliveries = DELIVERY_KINDS.flatMap((kind) =>
    COUNTED_OUTCOMES.flatMap((outcome) => {
      const count = counts[COUNTER.deliveries(kind, outcome)] ?? 0;
      return count === 0 ? [] : [{ kind, outcome, count }];
    }),
  );
  return {
    hour,
    deliveries,
    lateness: histogramOf(LATENESS, counts),
    ticks: histogramOf(TICK_DURATION, counts),
  };
}

function toDay(day: number, counts: Counts): StatsDay {
  return { day, rows_read: counts[COUNTER.rows_read] ?? 0, rows_written: counts[COUNTER.rows_written] ?? 0 };
}

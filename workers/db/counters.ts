/**
 * The counters in D1. A commit writes nothing for them: a tick counts the events that commits have stored
 * (workers/system/counters.job.ts), and what has no event is counted in memory and stored now and then (meter.ts).
 */
import { sql } from 'drizzle-orm';
import type { InstructionState } from '../../schema/contracts/instructions.ts';
import type { Counts } from '../../schema/domain/counters.ts';
import { addCounts, endsAmong } from '../../schema/domain/counters.ts';
import { isStoppedStatus } from '../../schema/domain/instruction-machine.ts';
import type { JournalDraft } from './journal.ts';
import type { Database, Statement } from './open.ts';
import { storedJson } from './stored-json.ts';

const HOUR_MS = 3_600_000;

export function hourOf(at: number): number {
  return Math.floor(at / HOUR_MS) * HOUR_MS;
}

/** The newest row of the counters, or one of zeros, as a table `last`. */
export const LAST_COUNTERS = sql`(SELECT * FROM (SELECT hour, event_seq, counts FROM hourly_counters
    ORDER BY hour DESC LIMIT 1) UNION ALL SELECT 0 AS hour, 0 AS event_seq, '{}' AS counts ORDER BY hour DESC LIMIT 1) AS last`;

/**
 * Adds to the counters of that hour, or of a later one that has begun: the totals of an hour are never below those of the
 * hour before. With `events`, only while no other tick has counted the same events.
 */
export function storeCounts(
  db: Database,
  hour: number,
  counts: Counts,
  events: { after: number; to: number } | null = null,
): Statement {
  return db.run(sql`INSERT INTO hourly_counters (hour, event_seq, counts)
    SELECT max(${hour}, last.hour), coalesce(${events?.to ?? null}, last.event_seq),
      (SELECT json_group_object(name, total) FROM (SELECT name, sum(value) AS total FROM (
        SELECT stored.key AS name, stored.value AS value FROM json_each(${storedJson(sql`last.counts`, '{}')}) AS stored
        UNION ALL SELECT added.key, added.value FROM json_each(${JSON.stringify(counts)}) AS added) GROUP BY name))
    FROM ${LAST_COUNTERS} WHERE ${events?.after ?? null} IS NULL OR last.event_seq = ${events?.after ?? null}
    ON CONFLICT (hour) DO UPDATE SET event_seq = excluded.event_seq, counts = excluded.counts`);
}

/**
 * How many instructions these changes end or stop, by status; null for none. Those that an ingest ends are in its event. One
 * that is judged again and stopped again has two entries in one commit and counts once.
 */
export function endedIn(drafts: readonly JournalDraft[]): Record<string, number> | null {
  const statusOf = ({ detail }: JournalDraft) => detail.status as InstructionState;
  const ended = endsAmong(drafts.filter(({ kind }) => kind === 'ended').map(statusOf));
  const gated = drafts.filter((draft) => draft.kind === 'gated' && isStoppedStatus(statusOf(draft)));
  const stopped = new Map(gated.map((draft) => [draft.instruction_id, statusOf(draft)]));
  const counts = addCounts(ended ?? {}, ...[...stopped.values()].map((status) => ({ [status]: 1 })));
  return Object.keys(counts).length === 0 ? null : counts;
}

/** The counters as they are now: what is stored, and the commits that no tick has counted yet. */
import { sql } from 'drizzle-orm';
import type { CountedEvent, Counts } from '../../schema/domain/counters.ts';
import { addCounts, countCommit } from '../../schema/domain/counters.ts';
import { readJson } from '../../schema/json-text.ts';
import { LAST_COUNTERS } from '../db/counters.ts';
import type { Database } from '../db/open.ts';
import { storedJson } from '../db/stored-json.ts';

/** Commits that one query reads at most. */
const BATCH = 200;

export interface Uncounted {
  /** The newest hour of the counters, and the newest commit that they have; 0 for none. */
  hour: number;
  event_seq: number;
  counts: Counts;
  commits: { seq: number; at: number; counts: Counts }[];
  /** There may be further ones. */
  isFull: boolean;
}

/** One query, which reads the newest row of the counters and the commits after it. */
export async function readUncounted(db: Database): Promise<Uncounted> {
  const rows = await db.all<{
    hour: number;
    event_seq: number;
    counts: string;
    seq: number | null;
    at: number;
    events: string;
    ended: string | null;
  }>(sql`SELECT last.hour, last.event_seq, ${storedJson(sql`last.counts`, '{}')} AS counts, e.seq, e.at, e.events, e.ended
    FROM ${LAST_COUNTERS} LEFT JOIN (SELECT seq, at, events, ended FROM event_batches
      WHERE seq > coalesce((SELECT event_seq FROM hourly_counters ORDER BY hour DESC LIMIT 1), 0)
      ORDER BY seq LIMIT ${BATCH}) AS e ON true ORDER BY e.seq`);
  const [first] = rows;
  const commits = rows.flatMap(({ seq, at, events, ended }) =>
    seq === null ? [] : [{ seq, at, counts: countCommit(eventsIn(events), parsed(ended) as Counts | null) }],
  );
  return {
    hour: first?.hour ?? 0,
    event_seq: first?.event_seq ?? 0,
    counts: (parsed(first?.counts ?? null) ?? {}) as Counts,
    commits,
    isFull: commits.length === BATCH,
  };
}

/** All that was counted since the beginning. */
export async function readTotals(db: Database): Promise<Counts> {
  const { counts, commits } = await readUncounted(db);
  return addCounts(counts, ...commits.map((commit) => commit.counts));
}

function parsed(text: string | null): unknown {
  const read = text === null ? null : readJson(text);
  return read?.ok === true ? read.value : null;
}

/** None for a row that was damaged. */
function eventsIn(text: string): CountedEvent[] {
  const events = parsed(text);
  return Array.isArray(events) ? (events as CountedEvent[]) : [];
}
